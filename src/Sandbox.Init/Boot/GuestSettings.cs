using Sandbox.Control.Agent;
using Sandbox.Linux;
using Sandbox.Linux.Guest;

namespace Sandbox.Init.Boot;

/// <summary>Clock, randomness, name and loopback.</summary>
internal static class GuestSettings
{
    public static void Apply(ConfigureMessage configuration)
    {
        // There is no real-time clock in the machine: the host's word is the only source.
        Check(GuestKernel.SetRealtime(configuration.RealtimeNanoseconds), "set the clock");
        using (FdHandle urandom = FileOpen.ReadWrite("/dev/urandom"))
        {
            // Two guests of one image must not draw the same numbers, and the first getrandom(2) must not wait.
            Check(GuestKernel.CreditEntropy(urandom, configuration.Entropy.Span), "credit entropy");
        }

        if (configuration.HostName.Length > 0)
        {
            Check(GuestKernel.SetHostName(configuration.HostName), "set the host name");
        }

        Check(GuestInterface.BringUp("lo"), "bring the loopback interface up");
    }

    private static void Check(int result, string operation) => BootException.Check(result, BootStage.Settings, operation);
}
