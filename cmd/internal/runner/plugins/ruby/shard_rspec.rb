# Tells a shard worker what RSpec (3.3 and later) does; see docs/runner-protocol.md. It is required by an option of rspec.
require_relative "shard"
require "rspec/core/formatters/base_text_formatter" # what RSpec's formatters require (StringIO), tests use without knowing it

module ShardRSpec
  # Loads and runs what the batches name. A file is loaded once, an example is run once, so that nothing is defined twice:
  # many batches are to RSpec what one run of all files is.
  class Plugin
    def initialize(job)
      @job = job
      # RSpec's own, whatever a test that tests RSpec puts in their places
      @config, @world = RSpec.configuration, RSpec.world
      @groups = {} # top-level groups of a file that is loaded
      @errors = {} # what kept a file from being loaded
      @suite_hooks = [] # before(:suite) hooks that have run
      @units = {} # of the batch
      @unit_of = {}.compare_by_identity # unit of an example
      @whole = [] # units of the file that runs which are more than one example
      at_exit { @job.tell("end") if @done && @job.connection.mine? }
    end

    attr_reader :config

    # Puts this into RSpec.
    def install
      config.singleton_class.prepend(Configuration)
      @world.singleton_class.prepend(World)
      config.reporter.singleton_class.prepend(Reporter)
      RSpec::Core::Runner.prepend(Runner)
    end

    # Runs, or lists, everything. True: nothing failed.
    def run(reporter)
      @reporter, @passed = reporter, true
      if @job.list?
        list
      else
        begin
          @job.batches do |ids|
            batch(ids)
            break if world.wants_to_quit
          end
        ensure
          config.send(:run_suite_hooks, "an `after(:suite)` hook", config.instance_variable_get(:@after_suite_hooks))
        end
      end
      @done = true
      @passed
    end

    # The examples of a group that run.
    def filtered(group)
      (@filtered ||= {}.compare_by_identity)[group] ||= group.examples.select { |example| @unit_of.key?(example) }
    end

    # RSpec says that something failed that is no example.
    def outside(error, what)
      if what.include?("before(:suite)")
        @suite_error = error
      elsif @whole.any?
        name = what[/`(.+)`/, 1] || what
        @whole.each { |unit| unit.cases << failure(error).merge(:classname => classname(unit.id), :name => name) }
      else
        @job.problem("rspec", "#{what} #{message(error)}", trace(error))
      end
    end

    # RSpec gives up before it loads the first file: one that its options require is broken. It has told why; only by
    # requiring the files again can that be known here.
    def give_up
      config.requires.each { |file| require file }
      error = nil
    rescue *Shard::LOAD_ERRORS => e
      error = e
    ensure
      what = "a file that rspec requires (--require, .rspec) cannot be loaded: " + (error ? message(error) : "see what rspec printed")
      place = error ? Shard.place(error.backtrace) : {}
      @job.problem("rspec", what, error && trace(error)) if @job.list?
      @job.batches { |ids| ids.each { |id| Shard::Unit.new(@job, id).fail(what, error && trace(error), place) } } unless @job.list?
      @done = true
    end

    def started(example)
      @unit_of[example]&.begin(Shard.text(example.full_description))
    end

    def finished(example)
      unit = @unit_of[example] or return
      unit.cases << result(example)
      return if @whole.include?(unit) # a hook may yet fail
      unit.finish
      @passed &&= !unit.failed?
    end

  private

    EXPECTATION = /\ARSpec::(Expectations::ExpectationNotMet|Mocks::MockExpectation|Core::Pending::PendingExampleFixed)Error\z/
    ID = /\A(?:\.\/)?(.*?)((?:\[[\d:]+\])?)\z/m

    attr_reader :world

    def list
      files = config.files_to_run.map { |file| Shard.relative(file) }.uniq
      files.each { |file| load_file(file) }
      left = unfiltered(files)
      files.each do |file|
        examples = examples_of(file).select { |example| left[example] }
        if @errors[file] || @job.granularity == "file" && examples.any?
          @job.tell("test", :id => file)
        elsif examples.all? { |example| path_of(example) == file }
          examples.each { |example| @job.tell("test", :id => Shard.text(example.id)) }
        elsif examples.any? # a helper elsewhere defines them: their ids do not tell what to load
          @job.tell("test", :id => file)
        end
      end
    end

    def batch(ids)
      @units = ids.map { |id| [id.sub(ID, '\1\2'), Shard::Unit.new(@job, id)] }.to_h
      @unit_of.clear
      @filtered = nil
      files = @units.keys.map { |key| key[ID, 1] }.uniq
      files.each { |file| load_file(file) }
      before_suite
      return @units.each_value { |unit| unit.fail("before(:suite) failed: #{message(@suite_error)}", trace(@suite_error), Shard.place(@suite_error.backtrace)) } if @suite_error
      left = unfiltered(files)
      files.each { |file| assign(file, left) }
      files.each { |file| run_file(file) unless world.wants_to_quit }
    end

    def load_file(file)
      return if @groups[file] || @errors[file]
      before = world.example_groups.size
      path = File.expand_path(file)
      config.instance_exec { load path }
      config.loaded_spec_files << path
      @groups[file] = world.example_groups.drop(before)
    rescue *Shard::LOAD_ERRORS => error
      world.example_groups.slice!(before..-1)
      @errors[file] = error
    end

    # before(:suite) hooks come after the files, as hooks may be in them.
    def before_suite
      hooks = config.instance_variable_get(:@before_suite_hooks)
      (hooks - @suite_hooks).each do |hook|
        @suite_hooks << hook
        config.send(:run_suite_hooks, "a `before(:suite)` hook", [hook])
        break if @suite_error
      end
    end

    def examples_of(file)
      @groups.fetch(file, []).flat_map(&:descendants).flat_map(&:examples)
    end

    def path_of(example)
      Shard.text(example.metadata[:rerun_file_path]).delete_prefix("./")
    end

    # The examples of files that the filters of the project (tags, focus) leave.
    def unfiltered(files)
      groups = files.flat_map { |file| @groups.fetch(file, []) }.flat_map(&:descendants)
      left = prune(groups, config.filter_manager)
      if left.empty? && config.run_all_when_everything_filtered?
        all = RSpec::Core::FilterManager.new
        all.exclude_only(config.exclusion_filter.rules)
        left = prune(groups, all)
      end
      left.each_with_object({}.compare_by_identity) { |example, all| all[example] = true }
    end

    def prune(groups, filters)
      groups.flat_map { |group| filters.prune(group.examples) }
    end

    # Finds the unit of each example: that of its id, of a group around it, or of its file. What is named by its id runs
    # whatever filters say, as in RSpec.
    def assign(file, left)
      @groups.fetch(file, []).flat_map(&:descendants).each do |group|
        possible = RSpec::Core::FilterManager.new.prune(group.examples) # without those that have :if => false
        possible.each do |example|
          parts = example.metadata[:scoped_id].split(":")
          exact = parts.size.downto(1).map { |n| @units["#{path_of(example)}[#{parts.first(n).join(":")}]"] }.compact.first
          unit = exact || left[example] && @units[file] or next
          @unit_of[example] = unit
          unit.size += 1
        end
      end
    end

    def run_file(file)
      units = @units.select { |key, _| key[ID, 1] == file }
      if (error = @errors[file])
        @passed = false
        return units.each_value { |unit| unit.fail("cannot be loaded: #{message(error)}", trace(error), Shard.place(error.backtrace)) }
      end
      none = units[file]
      if none && none.size.zero?
        none.size = 1
        none.begin(file)
        none.cases << { :classname => classname(file), :name => file, :status => "skipped", :message => "it has no examples, or the filters of rspec's options leave none" }
        return none.finish
      end
      @whole = units.select { |key, unit| key == file || unit.size > 1 }.values
      config.ordering_registry.fetch(:global).order(@groups[file]).each do |group|
        group.descendants.each { |g| g.remove_instance_variable(:@descendant_filtered_examples) if g.instance_variable_defined?(:@descendant_filtered_examples) }
        group.run(@reporter)
      end
      @whole.each do |unit|
        unit.finish if unit.complete?
        @passed &&= !unit.failed?
      end
    ensure
      @whole = []
    end

    def classname(file)
      file.delete_prefix("./").sub(/\.rb(\[[\d:]+\])?\z/, "").tr("/", ".")
    end

    def result(example)
      ran = example.execution_result
      base = { :classname => classname(path_of(example)), :name => Shard.text(example.full_description), :seconds => ran.run_time.to_f }
      case ran.status
      when :passed then base.merge(:status => "passed")
      when :pending then base.merge(:status => "skipped", :message => (example.skipped? ? "" : "pending: ") + Shard.text(ran.pending_message))
      else
        base.update(failure(ran.exception, example))
        base[:message] += " (pending: #{Shard.text(ran.pending_message)})" if ran.pending_fixed?
        base
      end
    end

    def failure(error, example = nil)
      inner = error.respond_to?(:all_exceptions) && error.all_exceptions.first || error
      place = Shard.place(inner.backtrace)
      place = { :file => path_of(example), :line => example.metadata[:line_number] } if place.empty? && example
      details = example ? formatted(example) : trace(error)
      { :status => "failed", :message => message(error), :details => Shard.clip(details) }.merge(place)
    end

    # What rspec prints of a failed example.
    def formatted(example)
      notification = RSpec::Core::Notifications::ExampleNotification.for(example)
      text = Shard.text(notification.fully_formatted(nil, RSpec::Core::Notifications::NullColorizer)).strip
      text.delete_prefix(Shard.text(example.full_description)).gsub(/^  /, "").strip
    rescue StandardError => error # an object of the project that cannot be inspected
      trace(example.execution_result.exception) + "\n(rspec cannot format it: #{error.class})"
    end

    def trace(error)
      Shard.trace(error, config.backtrace_formatter.format_backtrace(error.backtrace))
    end

    # One line of an error. The text of a failed expectation stands for itself.
    def message(error)
      return error.all_exceptions.map { |e| message(e) }.join("; ") if error.respond_to?(:all_exceptions) && error.all_exceptions.any?
      text = Shard.text(error.message).strip
      return text.sub(/^\s*Diff:.*/m, "").split.join(" ") if error.class.name =~ EXPECTATION
      "#{error.class}: #{text[/\A.*?(?=\n\n|\z)/m]}" # what follows is Ruby's picture of the place
    end
  end

  PLUGIN = (job = Shard::Job.take) && Plugin.new(job)

  # Takes the place of the formatter that prints dots.
  class Formatter
    def initialize(_output); end

    def example_started(notification)
      PLUGIN.started(notification.example)
    end

    def example_passed(notification)
      PLUGIN.finished(notification.example)
    end
    alias example_failed example_passed
    alias example_pending example_passed

    RSpec::Core::Formatters.register self, :example_started, :example_passed, :example_failed, :example_pending
  end

  module Configuration
    # The plugin loads them, batch by batch. An option that stops at a failure or runs nothing would leave units without a result.
    def load_spec_files
      force(:fail_fast => false, :dry_run => false)
      backtrace_exclusion_patterns << /\A#{Regexp.escape(__dir__)}\//
      @spec_files_loaded = true
    end
  end

  module World
    def announce_filters; end

    def filtered_examples
      @shard_filtered ||= Hash.new { |_, group| PLUGIN.filtered(group) }
    end
  end

  module Runner
    def run_specs(_groups)
      return super unless @configuration.equal?(PLUGIN.config)
      passed = @configuration.reporter.report(0) { |reporter| PLUGIN.run(reporter) }
      @configuration.failure_exit_code = 1 # whatever the project chose: nobody else sees it
      @configuration.error_exit_code = 1 if @configuration.respond_to?(:error_exit_code=)
      exit_code(passed)
    end
  end

  module Reporter
    def notify_non_example_exception(error, what)
      PLUGIN.outside(error, what)
      super
    end

    def exit_early(code)
      PLUGIN.give_up
      super
    end
  end

  PLUGIN&.install
end
