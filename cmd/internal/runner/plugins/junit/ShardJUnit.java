// Runs classes on the JUnit platform and tells a shard worker, on file descriptor 3; see docs/runner-protocol.md. For Java 11,
// JUnit platform 1.7 and later. Arguments: `list FOLDER... [= NAME...]` or `run FILE`.
import java.io.File;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.platform.engine.DiscoverySelector;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.discovery.ClassNameFilter;
import org.junit.platform.engine.discovery.DiscoverySelectors;
import org.junit.platform.engine.support.descriptor.ClassSource;
import org.junit.platform.launcher.Launcher;
import org.junit.platform.launcher.LauncherDiscoveryRequest;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.TestPlan;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

public final class ShardJUnit implements TestExecutionListener {
    private static final int MOST_TEXT = 128 * 1024;
    private static final String[] SOURCES = {"src/test/java", "src/test/kotlin", "src/test", "test", "tests", "src", "."};

    private final OutputStream worker;
    private final Map<String, Unit> units = new LinkedHashMap<>();
    private TestPlan plan;

    /** A class. Several engines may have tests of it. */
    private static final class Unit {
        int left;
        boolean began;
        final long since = System.nanoTime();
        final List<String> cases = new ArrayList<>();
        final Set<String> statuses = new LinkedHashSet<>();
        final Map<String, Long> started = new LinkedHashMap<>();
        String reason = "";
    }

    private ShardJUnit(OutputStream worker) {
        this.worker = worker;
    }

    public static void main(String[] args) throws IOException {
        ShardJUnit shard = new ShardJUnit(new FileOutputStream("/dev/fd/3"));
        List<String> rest = Arrays.asList(args).subList(1, args.length);
        if (args[0].equals("list")) {
            shard.list(rest);
        } else {
            shard.run(Files.readAllLines(Paths.get(rest.get(0))));
        }
        shard.send("end");
        System.exit(0); // threads that tests left do not keep it
    }

    private void list(List<String> arguments) throws IOException {
        int names = arguments.indexOf("=");
        List<DiscoverySelector> selectors = new ArrayList<>();
        LauncherDiscoveryRequestBuilder request = LauncherDiscoveryRequestBuilder.request();
        if (names < 0) {
            Set<Path> folders = new LinkedHashSet<>();
            arguments.forEach(folder -> folders.add(Paths.get(folder).toAbsolutePath()));
            selectors.addAll(DiscoverySelectors.selectClasspathRoots(folders));
            request.filters(ClassNameFilter.includeClassNamePatterns(ClassNameFilter.STANDARD_INCLUDE_PATTERN));
        } else {
            for (String name : arguments.subList(names + 1, arguments.size())) {
                selectors.add(exists(name) ? DiscoverySelectors.selectClass(name) : DiscoverySelectors.selectPackage(name));
            }
        }
        TestPlan all = LauncherFactory.create().discover(request.selectors(selectors).build());
        Set<String> found = new LinkedHashSet<>();
        for (TestIdentifier engine : all.getRoots()) {
            all.getChildren(engine).forEach(top -> found.add(className(top)));
        }
        if (names < 0) {
            for (String folder : arguments) {
                found.addAll(unloadable(Paths.get(folder)));
            }
        }
        found.forEach(name -> send("test", "id", name));
    }

    /** The classes of a folder that have a test's name and cannot be loaded, over which the scan passes in silence. */
    private static List<String> unloadable(Path folder) throws IOException {
        List<String> names = new ArrayList<>();
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : (Iterable<Path>) files.sorted()::iterator) {
                String path = folder.relativize(file).toString();
                String name = path.replaceAll("\\.class$", "").replace(File.separatorChar, '.');
                if (!path.endsWith(".class") || name.contains("$") || !name.matches(ClassNameFilter.STANDARD_INCLUDE_PATTERN)) {
                    continue;
                }
                try {
                    Class.forName(name, false, ShardJUnit.class.getClassLoader());
                } catch (LinkageError e) {
                    names.add(name);
                } catch (ClassNotFoundException e) {
                    // another class path hides it
                }
            }
        }
        return names;
    }

    private static boolean exists(String name) {
        try {
            Class.forName(name, false, ShardJUnit.class.getClassLoader());
            return true;
        } catch (ClassNotFoundException | LinkageError e) {
            return false;
        }
    }

    private void run(List<String> names) {
        Launcher launcher = LauncherFactory.create();
        List<DiscoverySelector> selectors = new ArrayList<>();
        for (String name : names) {
            try { // by itself, as one class that cannot be loaded spoils them all
                Class<?> type = Class.forName(name, false, ShardJUnit.class.getClassLoader());
                TestPlan own = launcher.discover(request(List.of(DiscoverySelectors.selectClass(type))));
                if (own.containsTests() || own.getRoots().stream().anyMatch(engine -> !own.getChildren(engine).isEmpty())) {
                    selectors.add(DiscoverySelectors.selectClass(type));
                }
            } catch (ClassNotFoundException e) {
                // There is no such test, which the worker finds out.
            } catch (Throwable e) {
                send("start", "id", name);
                send("finish", "id", name, "status", "failed", "message", "cannot be loaded: " + message(e), "details", trace(e));
            }
        }
        if (!selectors.isEmpty()) {
            launcher.execute(request(selectors), this);
        }
    }

    private static LauncherDiscoveryRequest request(List<DiscoverySelector> selectors) {
        return LauncherDiscoveryRequestBuilder.request().selectors(selectors).build();
    }

    @Override
    public synchronized void testPlanExecutionStarted(TestPlan plan) {
        this.plan = plan;
        for (TestIdentifier engine : plan.getRoots()) {
            for (TestIdentifier top : plan.getChildren(engine)) {
                units.computeIfAbsent(className(top), name -> new Unit()).left++;
            }
        }
    }

    @Override
    public synchronized void executionStarted(TestIdentifier id) {
        TestIdentifier top = top(id);
        if (top == null) {
            return;
        }
        Unit unit = begin(top);
        unit.started.put(id.getUniqueId(), System.nanoTime());
        if (id.isTest()) {
            send("at", "id", className(top), "case", caseName(id, top));
        }
    }

    @Override
    public synchronized void executionSkipped(TestIdentifier id, String reason) {
        TestIdentifier top = top(id);
        if (top == null) {
            return;
        }
        Unit unit = begin(top);
        addCase(unit, id, top, "skipped", reason, "", null);
        unit.reason = reason;
        if (top.equals(id)) {
            end(top);
        }
    }

    @Override
    public synchronized void executionFinished(TestIdentifier id, TestExecutionResult result) {
        TestIdentifier top = top(id);
        Throwable error = result.getThrowable().orElse(null);
        boolean failed = result.getStatus() == TestExecutionResult.Status.FAILED;
        boolean aborted = result.getStatus() == TestExecutionResult.Status.ABORTED;
        if (top == null) {
            if (failed) {
                send("problem", "scope", id.getDisplayName(), "message", message(error), "details", trace(error));
            }
            return;
        }
        Unit unit = units.get(className(top));
        if (id.isTest() || failed || aborted) { // of a container: a hook failed or gave up
            addCase(unit, id, top, failed ? "failed" : aborted ? "skipped" : "passed", error == null ? "" : message(error), failed ? trace(error) : "", failed ? error : null);
            if (aborted && error != null) {
                unit.reason = message(error);
            }
        }
        if (top.equals(id)) {
            end(top);
        }
    }

    private Unit begin(TestIdentifier top) {
        Unit unit = units.get(className(top));
        if (!unit.began) {
            unit.began = true;
            send("start", "id", className(top));
        }
        return unit;
    }

    private void addCase(Unit unit, TestIdentifier id, TestIdentifier top, String status, String message, String details, Throwable error) {
        Long since = unit.started.remove(id.getUniqueId());
        String seconds = since == null ? "0" : String.valueOf((System.nanoTime() - since) / 1e9);
        List<String> fields = new ArrayList<>(List.of("classname", className(top), "name", caseName(id, top), "status", status, "message", message, "details", details));
        StackTraceElement place = place(error, className(top));
        if (place != null) {
            fields.addAll(List.of("file", source(place)));
        }
        String json = object(fields) + ",\"seconds\":" + seconds + (place == null ? "" : ",\"line\":" + place.getLineNumber());
        unit.cases.add("{" + json + "}");
        unit.statuses.add(status);
    }

    private void end(TestIdentifier top) {
        Unit unit = units.get(className(top));
        if (--unit.left > 0) {
            return;
        }
        String status = unit.statuses.contains("failed") ? "failed" : unit.statuses.contains("passed") ? "passed" : "skipped";
        String message = status.equals("skipped") ? unit.cases.isEmpty() ? "the class has no test" : unit.reason : "";
        write("\"type\":\"finish\"," + object(List.of("id", className(top), "status", status, "message", message))
            + ",\"seconds\":" + (System.nanoTime() - unit.since) / 1e9 + ",\"cases\":[" + String.join(",", unit.cases) + "]");
    }

    /** The class below the engine, null for the engine itself. */
    private TestIdentifier top(TestIdentifier id) {
        TestIdentifier top = null;
        for (TestIdentifier at = id; plan.getParent(at).isPresent(); at = plan.getParent(at).get()) {
            top = at;
        }
        return top;
    }

    private String caseName(TestIdentifier id, TestIdentifier top) {
        List<String> names = new ArrayList<>();
        for (TestIdentifier at = id; !at.equals(top); at = plan.getParent(at).get()) {
            names.add(0, at.getDisplayName());
        }
        return names.isEmpty() ? "(class)" : String.join(" > ", names);
    }

    private static String className(TestIdentifier top) {
        return top.getSource().filter(ClassSource.class::isInstance).map(source -> ((ClassSource) source).getClassName()).orElse(top.getDisplayName());
    }

    /** The first frame in the class itself. */
    private static StackTraceElement place(Throwable error, String className) {
        for (Throwable at = error; at != null; at = at.getCause()) {
            for (StackTraceElement frame : at.getStackTrace()) {
                if ((frame.getClassName() + "$").startsWith(className + "$") && frame.getFileName() != null && frame.getLineNumber() > 0) {
                    return frame;
                }
            }
        }
        return null;
    }

    /** The source file of a frame, in one of the usual folders; otherwise as it is below its own. */
    private static String source(StackTraceElement frame) {
        String name = frame.getClassName();
        String file = name.substring(0, name.lastIndexOf('.') + 1).replace('.', '/') + frame.getFileName();
        for (String folder : SOURCES) {
            if (Files.exists(Paths.get(folder, file))) {
                return Paths.get(folder, file).normalize().toString();
            }
        }
        return file;
    }

    private static String message(Throwable error) {
        if (error instanceof AssertionError && error.getMessage() != null) {
            return error.getMessage();
        }
        return error.getMessage() == null && error.getCause() != null ? error + ": " + error.getCause() : error.toString();
    }

    /** The stack without what is JUnit's and Java's own. */
    private static String trace(Throwable error) {
        StringWriter text = new StringWriter();
        error.printStackTrace(new PrintWriter(text, true));
        return text.toString().replaceAll("(?m)^\\tat (org\\.junit\\.(platform|jupiter|vintage)\\.|java\\.base/|ShardJUnit\\.).*\\R", "");
    }

    private void send(String type, String... fields) {
        write("\"type\":\"" + type + "\"" + (fields.length == 0 ? "" : "," + object(Arrays.asList(fields))));
    }

    private synchronized void write(String members) {
        try {
            worker.write(("{" + members + "}\n").getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            System.err.println("the worker is gone: " + e);
            Runtime.getRuntime().halt(1);
        }
    }

    /** JSON members of keys and texts. */
    private static String object(List<String> fields) {
        StringBuilder json = new StringBuilder();
        for (int i = 0; i < fields.size(); i += 2) {
            json.append(i == 0 ? "" : ",").append('"').append(fields.get(i)).append("\":");
            quote(json, fields.get(i + 1));
        }
        return json.toString();
    }

    private static void quote(StringBuilder json, String text) {
        if (text.length() > MOST_TEXT) {
            text = text.substring(0, MOST_TEXT) + "\n[...]";
        }
        json.append('"');
        for (char c : text.toCharArray()) {
            if (c == '"' || c == '\\') {
                json.append('\\').append(c);
            } else if (c < ' ' || Character.isSurrogate(c) || c > 0x7e) {
                json.append(String.format("\\u%04x", (int) c));
            } else {
                json.append(c);
            }
        }
        json.append('"');
    }
}
