using Sandbox.Control.Agent;
using Sandbox.Linux;

namespace Sandbox.Init.Boot;

/// <summary>A step of the guest's boot failed: which, on what, with what error number.</summary>
internal sealed class BootException(BootStage stage, string operation, Errno errno) : Exception
{
    public BootStage Stage { get; } = stage;

    public string Operation { get; } = operation;

    public Errno Errno { get; } = errno;

    /// <summary>Throws when <paramref name="result"/> is a negated error number.</summary>
    public static void Check(int result, BootStage stage, string operation)
    {
        if (result < 0)
        {
            throw new BootException(stage, operation, (Errno)(-result));
        }
    }

    /// <summary>As the host is told.</summary>
    public FailedMessage ToMessage()
    {
        int length = Math.Min(Operation.Length, AgentLimits.MaxTextBytes / 3); // UTF-8 of one char is at most 3 bytes
        return new FailedMessage(Stage, (int)Errno, Operation[..length]);
    }
}
