# What the plugins for Ruby's test runners share; see docs/runner-protocol.md. It loads no gem, not even json: the project may
# want another version of it.
require "socket"

module Shard
  MOST_TEXT = 128 * 1024

  # What a file that is loaded may raise without ending the run.
  LOAD_ERRORS = [SystemExit, StandardError, ScriptError, SecurityError, SystemStackError].freeze

  # The text of anything, as valid UTF-8.
  def self.text(value)
    text = value.to_s.dup
    text.force_encoding(Encoding::UTF_8) if [Encoding::BINARY, Encoding::US_ASCII].include?(text.encoding)
    text.encode(Encoding::UTF_8, :invalid => :replace, :undef => :replace).scrub
  end

  # A text that a message has room for.
  def self.clip(value)
    text = text(value)
    return text if text.bytesize <= MOST_TEXT
    (text.byteslice(0, MOST_TEXT / 4) + "\n[...]\n" + text.byteslice(-MOST_TEXT * 5 / 8, MOST_TEXT)).scrub
  end

  # A path as ids have it: relative to the project's folder, without "./".
  def self.relative(path)
    text(File.expand_path(path)).delete_prefix(text(Dir.pwd) + "/")
  end

  # The innermost place of a backtrace that is in the project.
  def self.place(backtrace)
    here = text(Dir.pwd) + "/"
    Array(backtrace).each do |line|
      path, number = text(line).match(/\A(.+?):(\d+)/)&.captures
      path = path && text(File.expand_path(path))
      next unless path&.start_with?(here) && !path.include?("/vendor/") && !path.include?("/gems/")
      return { :file => path.delete_prefix(here), :line => number.to_i }
    end
    {}
  end

  # What a person reads of an error that is no failed assertion.
  def self.trace(error, backtrace = above(error.backtrace))
    "#{text(error.class)}: #{text(error.message)}\n" + Array(backtrace).first(100).map { |line| "  " + text(line) }.join("\n")
  end

  # The part of a backtrace above what a plugin called.
  def self.above(backtrace)
    Array(backtrace).take_while { |line| !text(line).start_with?(text(__dir__)) }
  end

  # The text of the messages.
  module Json
    def self.write(value)
      case value
      when Hash then "{" + value.map { |key, v| write(key.to_s) + ":" + write(v) }.join(",") + "}"
      when Array then "[" + value.map { |v| write(v) }.join(",") + "]"
      when Integer, Float then value.to_s
      else '"' + Shard.text(value).gsub(/["\\\x00-\x1f]/) { |c| format("\\u%04x", c.ord) } + '"'
      end
    end

    # Reads an object of strings and lists of strings: each member becomes a list.
    def self.read(line)
      key, members = nil, {}
      line.scan(/"((?:[^"\\]|\\.)*)"\s*(:?)/) do |text, colon|
        text = text.gsub(/\\(?:u(\h{4})|(.))/) { $1 ? [$1.hex].pack("U") : { "n" => "\n", "t" => "\t", "r" => "\r", "b" => "\b", "f" => "\f" }.fetch($2, $2) }
        colon == ":" ? members[key = text] = [] : members[key] << text
      end
      members
    end
  end

  # The socket of the worker. What the tests start must not see its address, and what they fork does not speak.
  class Connection
    def initialize(path)
      @socket, @owner, @lock = UNIXSocket.new(path), Process.pid, Mutex.new
    end

    def tell(type, fields = {})
      return unless mine?
      fields = fields.reject { |_, value| value.nil? || value == "" || value == [] }
      line = Json.write({ :type => type }.merge(fields)) + "\n"
      @lock.synchronize { @socket.write(line) }
    rescue SystemCallError
      nil # the worker is gone, and ends this process
    end

    # The ids of the next batch; nil: there is none.
    def ask
      tell("want")
      line = @socket.gets
      answer = line ? Json.read(line.force_encoding(Encoding::UTF_8)) : {}
      return nil unless answer["type"] == ["batch"]
      ENV["SHARD_BATCH_ID"] = answer["batch"].to_a.first
      answer["ids"]
    end

    # Whether this is the process that the worker started.
    def mine?
      Process.pid == @owner
    end
  end

  # What the worker wants of this process.
  class Job
    attr_reader :connection, :mode, :granularity

    # The job, or nil: no worker started this process.
    def self.take
      path = ENV.delete("SHARD_SOCKET")
      path && new(path)
    end

    def initialize(path)
      $stdout.sync = $stderr.sync = true # what a test prints is there before its result
      @connection, @mode, @granularity = Connection.new(path), ENV.delete("SHARD_MODE"), ENV.delete("SHARD_GRANULARITY")
    end

    def list?
      @mode == "list"
    end

    def tell(type, fields = {})
      @connection.tell(type, fields)
    end

    def problem(scope, message, details = nil)
      tell("problem", :scope => scope, :message => message, :details => Shard.clip(details))
    end

    # Yields the ids of each batch.
    def batches
      if @mode == "run"
        yield File.read(ENV["SHARD_TESTS_FILE"], :encoding => "UTF-8").split("\n")
      else
        while (ids = @connection.ask)
          yield ids
        end
      end
    end
  end

  # A unit of a batch. Its result is that of its cases.
  class Unit
    attr_reader :id, :cases
    # How many cases it has in all.
    attr_accessor :size

    def initialize(job, id)
      @job, @id, @size, @cases = job, id, 0, []
    end

    # The case of that name begins.
    def begin(name)
      @job.tell("start", :id => @id) unless @begun
      @begun = true
      @job.tell("at", :id => @id, :case => name) if @size > 1
    end

    # Whether all its cases have ended.
    def complete?
      @cases.size >= @size
    end

    def failed?
      @cases.any? { |c| c[:status] == "failed" }
    end

    def finished?
      @finished
    end

    def finish
      return if @finished
      @finished = true
      status = failed? ? "failed" : @cases.all? { |c| c[:status] == "skipped" } ? "skipped" : "passed"
      own = { :id => @id, :status => status, :seconds => @cases.inject(0.0) { |sum, c| sum + c[:seconds].to_f }, :cases => @cases }
      first = @cases.first || {}
      own[:details] = first.delete(:details) if @cases.size == 1
      # A failure's message is made from the failed case by the worker, with its name.
      own[:message] = first[:message] if status == "skipped" || status == "failed" && @cases.size == 1 && @id.end_with?(first[:name])
      own.update(:file => first[:file], :line => first[:line]) if own[:message]
      @job.tell("finish", own)
    end

    # It cannot run, for a reason that is none of its cases'.
    def fail(message, details = nil, place = {})
      return if @finished
      @finished = true
      @job.tell("finish", { :id => @id, :status => "failed", :message => message, :details => Shard.clip(details) }.merge(place))
    end
  end
end
