# Runs Minitest (5 and 6) for a shard worker; see docs/runner-protocol.md. It is the program that ruby runs.
require_relative "shard"
require "minitest"

module ShardMinitest
  # A file that tests are looked for in.
  TEST_FILE = /(?:\A|\/)(?:(?:test|spec)_[^\/]*|[^\/]*_(?:test|spec))\.rb\z/
  HELPER = /_helper\.rb\z/
  # What Rails does not run unless asked.
  ASIDE = /\Atest\/(?:system|dummy|fixtures)\//

  # A test: a method of a class. body tells whether the method is still the one that its file defined.
  Test = Struct.new(:id, :file, :owner, :name, :body)

  # Knows the tests of the files that are loaded. What a file defines is told by the file on the stack, whichever loaded it.
  class Files
    def initialize
      @classes = Hash.new { |hash, file| hash[file] = [] }
      @methods = Hash.new { |hash, file| hash[file] = [] }
      @tests, @errors = {}, {}
    end

    def defined_class(owner)
      @classes[defining] << owner
    end

    def defined_method(owner, name)
      @methods[defining] << [owner, name.to_s] if name =~ /\A(?:test|bench)_/
    end

    # The tests of a file. Raises what keeps it from being loaded.
    def tests(file)
      load_file(file) unless @tests[file] || @errors[file]
      raise @errors[file] if @errors[file]
      @tests[file]
    end

  private

    # Tests are collected at once: a later file may define a method of the same class and name.
    def load_file(file)
      @loading = file
      require File.expand_path(file)
      @tests[file] = collect(file)
    rescue *Shard::LOAD_ERRORS => error
      Minitest::Spec.describe_stack.clear if defined?(Minitest::Spec) # later files are not nested in the broken block
      @errors[file] = error
    ensure
      @loading = nil
    end

    def collect(file)
      definer = {}
      @methods.each { |where, pairs| pairs.each { |pair| (definer[pair] ||= []) << where } }
      pairs = @classes[file].flat_map { |owner| owner.runnable_methods.map { |name| [owner, name] } }
      pairs.select! { |pair| definer[pair].nil? || definer[pair].include?(file) }
      # Not every public method with such a name runs: a class of benchmarks (Minitest::BenchSpec) has no tests.
      pairs |= @methods[file].select { |owner, name| owner.runnable_methods.include?(name) }
      seen = Hash.new(0)
      pairs.sort_by.with_index { |(owner, name), i| [line(owner, name, file), name, i] }.map do |owner, name|
        id = "#{file}::#{title(owner, file)}##{Shard.text(name).gsub("\n", "\\n")}"
        count = seen[id] += 1
        Test.new(count > 1 ? "#{id} (#{count})" : id, file, owner, name, owner.instance_method(name))
      end
    end

    def line(owner, name, file)
      path, number = owner.instance_method(name).source_location
      path && Shard.relative(path) == file ? number : 0
    end

    def title(owner, file)
      return Shard.text(owner.name).gsub("\n", "\\n") if owner.name
      "(class #{@classes[file].reject(&:name).index(owner).to_i + 1} without a name)"
    end

    # The file whose code runs.
    def defining
      caller_locations.each do |frame|
        next unless frame.label == "<top (required)>"
        file = Shard.relative(frame.absolute_path || frame.path)
        return file if file == @loading || !file.start_with?("/") && file =~ TEST_FILE && file !~ HELPER
      end
      @loading
    end
  end

  FILES = Files.new

  # Tells of the units of the batch that runs. Takes the place of all other reporters.
  class Reporter < Minitest::Reporter
    # unit_of finds the unit of a class and the name of its method.
    attr_accessor :unit_of
    attr_reader :failed

    def prerecord(owner, name)
      @unit = unit_of[[owner, name.to_s]]
      @owner = owner
      @unit&.begin("#{Shard.text(owner.name)}##{Shard.text(name)}")
    end

    def record(result)
      return unless @unit
      @unit.cases << of(result)
      @failed ||= @unit.failed?
      @unit.finish if @unit.complete?
    end

    def passed?
      !@failed
    end

  private

    def of(result)
      c = { :classname => Shard.text(@owner.name), :name => Shard.text(result.name), :seconds => result.time.to_f, :status => "passed" }
      bad = result.failures.reject { |f| Minitest::Skip === f }
      if bad.any?
        place = Shard.place([bad.first.error.equal?(bad.first) ? bad.first.location : nil].compact + Array(bad.first.backtrace))
        path, line = result.source_location if place.empty? && result.respond_to?(:source_location)
        place = { :file => Shard.relative(path), :line => line } if path && line.to_i > 0
        c.update(:status => "failed", :message => bad.map { |f| message(f) }.join("; "), :details => Shard.clip(bad.map { |f| details(f) }.join("\n\n"))).update(place)
      elsif result.failures.any?
        c.update(:status => "skipped", :message => Shard.text(result.failures.first.message))
      end
      c
    end

    def message(failure)
      error = failure.error
      error.equal?(failure) ? Shard.text(failure.message) : "#{error.class}: #{Shard.text(error.message)[/\A.*?(?=\n\n|\z)/m]}"
    end

    def details(failure)
      error = failure.error
      head = error.equal?(failure) ? "#{failure.result_label}:\n" : "#{error.class}:\n"
      head + Shard.text(error.message).rstrip + "\n" + Minitest.filter_backtrace(Shard.above(failure.backtrace)).map { |l| "  " + Shard.text(l) }.join("\n")
    end
  end

  # Runs parallel tests, too, one after the other: of several that run when the process dies nobody knows which one ended it.
  class Executor
    def start; end

    def shutdown; end

    def <<(work)
      owner, name, reporter = work
      reporter.prerecord owner, name
      reporter.record owner.new(name).run
    end
  end

  # A filter for Minitest that only names fit.
  class Only
    def initialize(names)
      @names = names
    end

    def ===(name)
      @names.include?(name)
    end

    def =~(_pattern); end # versions of 5 ask a filter whether it is a regular expression in a string
  end

  # Loads and runs what the batches name, a file at a time. A file is loaded once, so that many batches are to Minitest what
  # one run of all files is.
  class Plugin
    def initialize(job)
      @job = job
    end

    # In place of running all classes.
    def run(reporter, options)
      @options = options
      @reporter = Reporter.new(options[:io], options)
      reporter.reporters.replace([@reporter])
      Minitest.parallel_executor = Executor.new
      @job.list? ? list : @job.batches { |ids| batch(ids, reporter) }
      @done = true
    end

    # The process ends. error is what no rescue took.
    def end(error)
      return unless @job.connection.mine?
      return unless @done
      @job.problem("minitest", "when the process ended: #{error.class}: #{Shard.text(error.message)}", Shard.trace(error)) unless error.nil? || SystemExit === error
      @job.tell("end")
    end

    # A list is none the worse for it.
    def problem(what, error)
      @job.problem("minitest", "#{what}: #{error.class}: #{Shard.text(error.message)}", Shard.trace(error)) unless @job.list?
    end

    # The files that hold tests, of the paths and patterns that the list is for.
    attr_accessor :patterns

  private

    def list
      files.each do |file|
        units_in(file).each { |id| @job.tell("test", :id => id) }
      end
    end

    def units_in(file)
      tests = FILES.tests(file).select { |test| left?(test) }
      (@job.granularity == "file" ? tests.map(&:file) : tests.map(&:id)).uniq
    rescue *Shard::LOAD_ERRORS
      [file]
    end

    def files
      found = patterns.flat_map do |pattern|
        next inside(pattern) if File.directory?(pattern)
        File.file?(pattern) ? [pattern] : Dir[pattern].select { |path| File.file?(path) }.sort.tap { |f| @job.problem("minitest", "no file fits #{pattern}") if f.empty? }
      end
      found = inside("test").reject { |path| path =~ ASIDE } if patterns.empty?
      found = inside("spec") if patterns.empty? && found.empty?
      found.map { |path| Shard.relative(path) }.uniq
    end

    def inside(folder)
      Dir[File.join(folder, "**", "*.rb")].select { |path| path =~ TEST_FILE && path !~ HELPER }.sort
    end

    def batch(ids, reporter)
      units = ids.map { |id| [id, Shard::Unit.new(@job, id)] }.to_h
      ids.group_by { |id| id[/\A.*?\.rb(?=::|\z)/] || id }.each do |file, of_file|
        run_file(file, units.slice(*of_file), reporter)
      end
    end

    def run_file(file, units, reporter)
      tests = begin
        FILES.tests(file)
      rescue *Shard::LOAD_ERRORS => error
        return units.each_value { |unit| unit.fail("cannot be loaded: #{error.class}: #{Shard.text(error.message)[/\A.*?(?=\n\n|\z)/m]}", Shard.trace(error), Shard.place(error.backtrace)) }
      end
      unit_of = {}
      tests.each do |test|
        unit = units[test.id] || left?(test) && units[file] or next
        next unless test.owner.instance_method(test.name) == test.body # another file has defined it anew: it runs alone
        unit.size += 1
        unit_of[[test.owner, test.name]] = unit
      end
      none(file, units[file]) if units[file] && units[file].size.zero?
      @reporter.unit_of = unit_of
      unit_of.keys.group_by(&:first).each { |owner, pairs| run_class(owner, pairs.map(&:last), reporter, unit_of) }
    end

    def none(file, unit)
      unit.begin(file)
      unit.cases << { :name => file, :status => "skipped", :message => "it has no tests, or Minitest's options leave none" }
      unit.finish
    end

    # An error that comes from no test, but from what a library does around those of a class, is told of those that it kept
    # from running.
    def run_class(owner, names, reporter, unit_of)
      only = Only.new(names)
      options = @options.merge(:filter => only, :include => only, :exclude => nil)
      owner.respond_to?(:run_suite) ? owner.run_suite(reporter, options) : owner.run(reporter, options)
    rescue StandardError, ScriptError => error
      names.map { |name| unit_of[[owner, name]] }.uniq.reject(&:complete?).each { |unit| unit.fail("the class cannot be run: #{error.class}: #{Shard.text(error.message)}", Shard.trace(error), Shard.place(error.backtrace)) }
    end

    # Whether the options -n and -e leave a test.
    def left?(test)
      names = [test.name, "#{test.owner}##{test.name}"]
      wanted, unwanted = pattern(@options[:filter] || @options[:include]), pattern(@options[:exclude])
      (wanted.nil? || names.any? { |name| wanted === name }) && names.none? { |name| unwanted === name }
    end

    def pattern(option)
      option =~ /\/(.*)\// ? Regexp.new($1) : option
    end
  end

  PLUGIN = (job = Shard::Job.take) && Plugin.new(job)

  module Registry
    def inherited(owner)
      FILES.defined_class(owner)
      super
    end

    def method_added(name)
      FILES.defined_method(self, name)
      super
    end
  end

  module Running
    # Minitest 5
    def __run(reporter, options)
      PLUGIN.run(reporter, options)
    end

    # Minitest 6
    def run_all_suites(reporter, options)
      PLUGIN.run(reporter, options)
    end

    def after_run(&block)
      super do
        begin
          block.call
        rescue StandardError, ScriptError => error
          PLUGIN.problem("after_run", error)
        end
      end
    end
  end

  if PLUGIN
    PLUGIN.patterns = (ENV.delete("SHARD_PATTERNS") || "").split("\n")
    Minitest::Runnable.singleton_class.prepend(Registry)
    Minitest.singleton_class.prepend(Running)
    at_exit { PLUGIN.end($!) } # it is the last: it was the first
    Minitest.autorun
  end
end
