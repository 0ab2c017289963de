namespace Sandbox.Control.Agent;

/// <summary>What a frame says. Numbers are on the wire: never reuse one.</summary>
public enum AgentMessageType : ushort
{
    None = 0,
    Hello = 1,
    Configure = 2,
    Ready = 3,
    Failed = 4,
    Exec = 5,
    Started = 6,
    ExecFailed = 7,
    Data = 8,
    End = 9,
    Credit = 10,
    Signal = 11,
    Exited = 12,
    Shutdown = 13,
    ShutdownDone = 14,
    Resize = 15,
}

/// <summary>The three standard streams of a command; the number is the fd in the command.</summary>
public enum AgentStream : byte
{
    Input = 0,
    Output = 1,
    Error = 2,
}

/// <summary>Who sent a message.</summary>
public enum AgentSide
{
    Host,
    Guest,
}
