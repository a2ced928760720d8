# Tells a shard worker what Cucumber (2.4 and later) does; see docs/runner-protocol.md. RUBYOPT has it required before Cucumber,
# so that support code that cannot be loaded is seen.
$LOAD_PATH.delete(__dir__)
require_relative "shard"

module ShardCucumber
  # A unit is a scenario, or a row of an outline's examples, named by the place of its first line.
  class Plugin
    def initialize(job)
      @job = job
      @units = {}
      @job.batches { |ids| ids.each { |id| @units[id] = Shard::Unit.new(job, id).tap { |unit| unit.size = 1 } } } unless list?
      at_exit { @job.tell("end") if @done && @job.connection.mine? }
    end

    def list?
      @job.list?
    end

    # The events are called otherwise since Cucumber 3.
    def listen(config)
      @config = config
      # What it would tell of them looks as if they were skipped.
      @units.each_value { |unit| unit.fail("cucumber runs no step, because of --dry-run in its options or its profile") } if config.dry_run? && !list?
      names = Cucumber::Events.const_defined?(:TestCaseStarted) ? %i[test_case_started test_step_finished test_case_finished] : %i[before_test_case after_test_step after_test_case]
      config.on_event(names[0]) { |event| started(event.test_case) }
      config.on_event(names[1]) { |event| step(event.test_step, event.result) }
      config.on_event(names[2]) { |event| finished(event.test_case, event.result) }
      return unless Cucumber::Events.const_defined?(:TestRunHookFinished)
      config.on_event(:test_run_hook_finished) { |event| problem("BeforeAll or AfterAll hook", event.test_result.exception) if event.test_result.failed? }
    end

    def done
      settle
      @done = true
    end

    # The support code cannot be loaded: that keeps all from running.
    def broken_support(error)
      @units.each_value { |unit| unit.fail("the support code cannot be loaded: #{text(error)}", Shard.trace(error), Shard.place(error.backtrace)) }
      @done = @told = true
    end

    # A feature cannot be parsed. The others can.
    def broken_feature(uri, error)
      file = Shard.relative(uri)
      return @job.tell("test", :id => file) if list?
      @units.each { |id, unit| unit.fail("cannot be parsed: #{Shard.text(error.message)}", error.message, place(file, error)) if id == file || id.start_with?(file + ":") }
    end

    # Cucumber ends by an error of its own. Of several units that did not run each will tell, alone.
    def gave_up(error)
      settle
      @done = true
      return if @told
      left = @units.values.reject(&:finished?)
      what = "cucumber ended by an error"
      return problem(what, error) if left.empty?
      left.first.fail("#{what}: #{text(error)}", Shard.trace(error), Shard.place(error.backtrace)) if left.size == 1
    end

  private

    def id(test_case)
      file, line = Shard.text(test_case.location).match(/\A(.*?)(:\d+)?\z/m).captures
      "#{Shard.relative(file)}#{line}"
    end

    def started(test_case)
      id = id(test_case)
      return @job.tell("test", :id => id) if list?
      unit = @units[id] || @units[id[/\A(.*):\d+\z/m, 1]]
      settle unless unit.equal?(@unit) # the same one: it is tried again
      @unit, @step = unit, nil
      unit&.begin(Shard.text(test_case.name))
    end

    def step(test_step, result)
      @step ||= Shard.text(test_step.respond_to?(:text) ? test_step.text : test_step.name) unless result.passed? || result.skipped?
    end

    def finished(test_case, result)
      return unless @unit
      file = Shard.relative(Shard.text(test_case.location)[/\A(.*?)(?::\d+)?\z/m, 1])
      c = { :classname => file.sub(/\.feature\z/, "").tr("/", "."), :name => Shard.text(test_case.name), :seconds => seconds(result), :status => status(result) }
      c.update(why(result, c[:status])) unless result.passed?
      @unit.cases.replace(@unit.id == file ? @unit.cases + [c] : [c])
    end

    # Tells the result of the last scenario: the next one that starts is none of its further attempts.
    def settle
      @unit&.finish if @unit&.cases&.any?
      @unit = nil
    end

    def status(result)
      return "passed" if result.passed?
      return "failed" if result.failed? || !ok?(result)
      "skipped"
    end

    # Whether a scenario with pending or undefined steps is let pass.
    def ok?(result)
      Cucumber::Events.const_defined?(:TestCaseStarted) ? result.ok?(:strict => @config.strict) : result.ok?(@config.strict?)
    rescue ArgumentError # Cucumber 3
      result.ok?(@config.strict)
    end

    def why(result, status)
      error = result.respond_to?(:exception) ? result.exception : result
      message = result.failed? ? text(error) : "#{result.to_sym}: #{Shard.text(error.message)}"
      message = "#{@step}: #{message}" if @step && !message.include?(@step)
      return { :message => message } if status == "skipped"
      { :message => message, :details => Shard.clip(Shard.trace(error)) }.merge(Shard.place(error.backtrace))
    end

    def seconds(result)
      result.duration.nanoseconds / 1e9
    rescue StandardError # it did not run
      0.0
    end

    def place(file, error)
      line = error.message[/\((\d+):\d+\)/, 1]
      line ? { :file => file, :line => line.to_i } : { :file => file }
    end

    def text(error)
      "#{error.class}: #{Shard.text(error.message)[/\A.*?(?=\n\n|\z)/m]}"
    end

    def problem(what, error)
      @job.problem("cucumber", "#{what}: #{text(error)}", Shard.trace(error))
    end
  end

  module Runtime
    def run!
      PLUGIN.listen(@configuration)
      Cucumber::Core::Gherkin::Parser.prepend(Parser)
      super.tap { PLUGIN.done }
    rescue SystemExit, SignalException, NoMemoryError
      raise
    rescue Exception => error # Cucumber's own are not all StandardErrors
      PLUGIN.gave_up(error)
      raise
    end

  private

    # A list needs no step definitions.
    def load_step_definitions
      super unless PLUGIN.list?
    rescue StandardError, ScriptError => error
      PLUGIN.broken_support(error)
      raise
    end
  end

  module Parser
    def document(document)
      super
    rescue Cucumber::Core::Gherkin::ParseError => error
      PLUGIN.broken_feature(document.uri, error)
    end
  end

  # Waits for Cucumber's class, in whichever process that is: bundler may start it.
  def self.wait
    name = Module.instance_method(:name)
    TracePoint.new(:end) do |point|
      next unless Module === point.self && name.bind(point.self).call == "Cucumber::Runtime"
      point.disable
      start(point.self)
    end.enable
  end

  def self.start(runtime)
    ENV["RUBYOPT"] = ENV["RUBYOPT"].to_s.sub("-rshard_cucumber", "").strip
    ENV["RUBYLIB"] = ENV["RUBYLIB"].to_s.split(File::PATH_SEPARATOR).reject { |dir| dir == __dir__ }.join(File::PATH_SEPARATOR)
    job = Shard::Job.take or return
    const_set(:PLUGIN, Plugin.new(job))
    runtime.prepend(Runtime)
  end

  wait if ENV["SHARD_SOCKET"]
end
