namespace Sandbox.Vmm;

/// <summary>The VMM process: one guest, its vCPUs, its boot and its registers. Every fd is inherited; it opens nothing.</summary>
internal static class Program
{
    private static int Main() => 125;
}
