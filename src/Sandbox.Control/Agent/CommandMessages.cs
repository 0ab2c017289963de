namespace Sandbox.Control.Agent;

/// <summary>Host to guest: run a command.</summary>
/// <param name="Id">Given out by the host, rising by one from 1; never used again on this connection.</param>
/// <param name="Arguments">At least the program: a path when it has a slash, else looked up in PATH of <paramref name="Environment"/>.</param>
/// <param name="Environment">All of it, as <c>NAME=value</c>.</param>
/// <param name="WorkingDirectory">An absolute path.</param>
/// <param name="WantInput">False: standard input is /dev/null and no Data may be sent.</param>
/// <param name="Terminal">Not null: the three streams are one terminal of this size, controlled by the command; its output comes as Output.</param>
public sealed record ExecMessage(
    uint Id,
    IReadOnlyList<string> Arguments,
    IReadOnlyList<string> Environment,
    string WorkingDirectory,
    bool WantInput,
    AgentTerminal? Terminal = null)
{
    /// <summary>Writes the frame; its length in bytes, or the limit that an argument breaks.</summary>
    public AgentFault Encode(Span<byte> frame, out int frameBytes)
    {
        FieldWriter writer = new(frame);
        writer.UInt32(Id);
        writer.Flag(WantInput);
        writer.Flag(Terminal is not null);
        Terminal?.Write(ref writer);
        writer.Text(WorkingDirectory, AgentLimits.MaxPathBytes);
        writer.List(Arguments);
        writer.List(Environment);
        return writer.Finish(AgentMessageType.Exec, out frameBytes);
    }

    public static AgentFault Decode(ReadOnlySpan<byte> body, out ExecMessage message)
    {
        FieldReader reader = new(body);
        uint id = reader.UInt32();
        bool wantInput = reader.Flag();
        AgentTerminal? terminal = reader.Flag() ? AgentTerminal.Read(ref reader) : null;
        string directory = reader.Text(AgentLimits.MaxPathBytes);
        string[] arguments = reader.List();
        string[] environment = reader.List();
        reader.Require(arguments.Length > 0 && directory.StartsWith('/'));
        message = new ExecMessage(id, arguments, environment, directory, wantInput, terminal);
        return reader.Finish();
    }
}

/// <summary>Guest to host: the command runs.</summary>
public readonly record struct StartedMessage(uint Id)
{
    public int Encode(Span<byte> frame)
    {
        FieldWriter writer = new(frame);
        writer.UInt32(Id);
        return writer.Finish(AgentMessageType.Started);
    }

    public static AgentFault Decode(ReadOnlySpan<byte> body, out StartedMessage message)
    {
        FieldReader reader = new(body);
        message = new StartedMessage(reader.UInt32());
        return reader.Finish();
    }
}

/// <summary>Guest to host, instead of Started: the error number of the failed exec. ENOENT is "not found" (127), anything else "not executable" (126).</summary>
public readonly record struct ExecFailedMessage(uint Id, int Errno)
{
    public int Encode(Span<byte> frame)
    {
        FieldWriter writer = new(frame);
        writer.UInt32(Id);
        writer.Int32(Errno);
        return writer.Finish(AgentMessageType.ExecFailed);
    }

    public static AgentFault Decode(ReadOnlySpan<byte> body, out ExecFailedMessage message)
    {
        FieldReader reader = new(body);
        message = new ExecFailedMessage(reader.UInt32(), reader.Int32(1, AgentLimits.MaxErrno));
        return reader.Finish();
    }
}

/// <summary>Host to guest: a signal (1..64) for the command's process group.</summary>
public readonly record struct SignalMessage(uint Id, int Signal)
{
    public int Encode(Span<byte> frame)
    {
        FieldWriter writer = new(frame);
        writer.UInt32(Id);
        writer.Int32(Signal);
        return writer.Finish(AgentMessageType.Signal);
    }

    public static AgentFault Decode(ReadOnlySpan<byte> body, out SignalMessage message)
    {
        FieldReader reader = new(body);
        message = new SignalMessage(reader.UInt32(), reader.Int32(1, AgentLimits.MaxSignal));
        return reader.Finish();
    }
}

/// <summary>
/// Guest to host, last word on a command, after End of its output and error: its exit code (0..255), or the signal that
/// killed it (1..64; 0 is none, and then the code counts).
/// </summary>
public readonly record struct ExitedMessage(uint Id, int ExitCode, int Signal)
{
    public int Encode(Span<byte> frame)
    {
        FieldWriter writer = new(frame);
        writer.UInt32(Id);
        writer.Int32(ExitCode);
        writer.Int32(Signal);
        return writer.Finish(AgentMessageType.Exited);
    }

    public static AgentFault Decode(ReadOnlySpan<byte> body, out ExitedMessage message)
    {
        FieldReader reader = new(body);
        message = new ExitedMessage(reader.UInt32(), reader.Int32(0, 255), reader.Int32(0, AgentLimits.MaxSignal));
        reader.Require(message.ExitCode == 0 || message.Signal == 0);
        return reader.Finish();
    }
}
