namespace Sandbox.Lab.Machine;

/// <summary>What a frame on the line between the build machine and the agent means.</summary>
public enum FrameKind : byte
{
    None,

    /// <summary>To the agent: a new client; 16 random bytes, which come back in the answer so that leftovers of an earlier client can be skipped.</summary>
    Hello,

    /// <summary>To the agent: a <see cref="CommandSpec"/>.</summary>
    Run,

    /// <summary>To the agent: bytes for the command's standard input; none = its end.</summary>
    Input,

    /// <summary>To the agent: a signal number (4 bytes) for the command's process group.</summary>
    Signal,

    /// <summary>From the agent: how many input bytes the command has taken (4 bytes).</summary>
    InputTaken,

    /// <summary>From the agent: standard output.</summary>
    Output,

    /// <summary>From the agent: standard error.</summary>
    Error,

    /// <summary>From the agent: exit code (4 bytes), 128 + n for a signal. The last frame of a command.</summary>
    Exited,
}
