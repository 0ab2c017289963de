using System.Text;
using Sandbox.Linux;

namespace Sandbox.Init.Boot;

/// <summary>The serial console, which the kernel gave us as standard error. For failures: whoever reads the guest's console looks for the reason there.</summary>
internal static class GuestConsole
{
    private const int StandardError = 2;

    public static void Line(string text) => _ = FdIo.WriteAll(StandardError, Encoding.UTF8.GetBytes($"sandbox-init: {text}\n"));
}
