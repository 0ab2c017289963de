using Sandbox.Control.Jail;
using Sandbox.Linux;

namespace Sandbox.Launch;

/// <summary>A step of the jail stage failed; nothing was executed.</summary>
#pragma warning disable CA1064 // The library's own exception carries this one's message to its callers.
internal sealed class JailException : Exception
#pragma warning restore CA1064
{
    public JailException(string name, JailStep step, Errno errno)
        : base(Text(name, step, errno)) => (Step, Errno) = (step, errno);

    public JailStep Step { get; }

    public Errno Errno { get; }

    private static string Text(string name, JailStep step, Errno errno)
    {
        string failure = new LinuxException($"jail of {name}, step {step}", errno).Message;
        return JailCure.For(step, (int)errno) is string cure ? $"{failure}; {cure}" : failure;
    }
}
