using Sandbox.Control.Launch;

namespace Sandbox.Launch;

/// <summary>The kernel's command line: what only the kernel can use. Everything for the agent goes by the agent protocol.</summary>
internal static class GuestCommandLine
{
    // console: the VMM's 8250, drained into the launcher. quiet: a byte on it costs several exits.
    // panic=-1 reboot=k: a panic resets at once, by the i8042; the launcher sees why on the console. Not k,t: the last letter would
    // count, and a triple fault says less (Linux falls back to it by itself).
    // i8042.*: the controller is there for the reset only; do not look for keyboard, mouse and PnP entries.
    // no_timer_check: the timer of KVM needs no test of the wiring. pci=off: there is no bus to look for.
    // random.trust_cpu: the launcher gives entropy too, but the kernel should not wait for it.
    private const string Base =
        "console=ttyS0 quiet panic=-1 reboot=k no_timer_check pci=off i8042.noaux i8042.nokbd i8042.nomux i8042.nopnp i8042.dumbkbd random.trust_cpu=on";

    public static string Make(string extra)
    {
        string line = extra.Length == 0 ? Base : $"{Base} {extra}";
        foreach (char letter in line)
        {
            if (letter is < ' ' or > '~')
            {
                throw new SandboxException(SandboxErrorKind.InvalidOption, "the kernel arguments hold a character that is no printable ASCII; remove it");
            }
        }

        return line.Length <= LaunchLimits.MaxCommandLineBytes ? line : throw new SandboxException(
            SandboxErrorKind.InvalidOption,
            $"the kernel command line would have {line.Length} bytes; shorten the kernel arguments so that it has at most {LaunchLimits.MaxCommandLineBytes}");
    }
}
