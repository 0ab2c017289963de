using Sandbox.Control.Launch;
using Sandbox.Linux;

namespace Sandbox.Guest.Tests;

/// <summary>Everything a VMM process said, and how it ended.</summary>
/// <param name="Console">The serial port's bytes.</param>
/// <param name="Phases">In the order they came.</param>
/// <param name="Ended">Its last message; null when there was none.</param>
/// <param name="Exit">Exit code or signal.</param>
internal sealed record MicroVmResult(string Console, IReadOnlyList<PhaseReached> Phases, Ended? Ended, ExitStatus Exit)
{
    /// <summary>The value of a line NAME=VALUE of the console.</summary>
    public string this[string name] =>
        Console.Split('\n').FirstOrDefault(line => line.StartsWith(name + "=", StringComparison.Ordinal))?[(name.Length + 1)..]
        ?? throw new KeyNotFoundException($"no line {name}= in: {Console}");

    public static MicroVmResult Decode(string console, ReadOnlySpan<byte> control, ExitStatus exit)
    {
        List<PhaseReached> phases = [];
        Ended? ended = null;
        while (!control.IsEmpty)
        {
            Assert.Equal(LaunchFault.None, LaunchFrame.ReadHeader(control, out LaunchMessageType type, out int bytes));
            ReadOnlySpan<byte> content = control.Slice(LaunchFrame.HeaderBytes, bytes);
            control = control[(LaunchFrame.HeaderBytes + bytes)..];
            switch (type)
            {
                case LaunchMessageType.Ready:
                    Assert.Equal(LaunchFault.None, Ready.Decode(content, out _));
                    break;
                case LaunchMessageType.Phase:
                    Assert.Equal(LaunchFault.None, PhaseReached.Decode(content, out PhaseReached phase));
                    phases.Add(phase);
                    break;
                case LaunchMessageType.Ended:
                    Assert.Equal(LaunchFault.None, Control.Launch.Ended.Decode(content, out Ended end));
                    ended = end;
                    break;
                default:
                    Assert.Fail($"a VMM never sends {type}");
                    break;
            }
        }

        return new MicroVmResult(console, phases, ended, exit);
    }

    /// <summary>Ended for this reason, with the exit code that repeats it.</summary>
    public void AssertEnded(EndReason reason)
    {
        Assert.True(Ended is not null, $"no last message; {Exit}; console: {Console}");
        Assert.Equal((reason, (int)reason), (Ended.Value.Reason, Exit.Code));
    }
}
