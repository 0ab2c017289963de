using Sandbox.Linux;

namespace Sandbox.TestRuntime;

/// <summary>Runs one mode and ends with 0; 1 where it found something wrong by itself. A filter that is not satisfied ends it by SIGSYS.</summary>
internal static class Program
{
    /// <summary>As the exes of the product.</summary>
    private const long HeapBytes = 12 * 1024 * 1024;

    private static int Main(string[] arguments)
    {
        OwnProcess.Begin("test-runtime");
        // Without arguments it stands in the place of the VMM.
        int code = (arguments.Length == 0 ? "exhaust-vmm" : arguments[0]) switch
        {
            "device" => Device(static () => QuietWork.Fail(2000)),
            "device-stopped" => Device(QuietWork.TellAndRead),
            "vmm" => Vmm(static () => QuietWork.Contend(rounds: 20_000)),
            "exhaust-device" => Device(QuietWork.Exhaust),
            "exhaust-vmm" => Vmm(QuietWork.Exhaust),
            "collecting" => Collecting(),
            _ => 1,
        };
        OwnProcess.End(code);
        return code;
    }

    private static int Device(Action work)
    {
        Begin(TestedFilters.DeviceStart);
        Install(SeccompFilter.Install(TestedFilters.Entropy));
        work();
        return 0;
    }

    // The threads are made under the start filter, as the VMM's are, and each puts the vCPU's filter on.
    private static int Vmm(Action work)
    {
        Begin(TestedFilters.VmmStart);
        QuietThreads threads = new(count: 16, static () => SeccompFilter.InstallOnThread(TestedFilters.Vcpu), work);
        Install(SeccompFilter.Install(TestedFilters.VmmRunning));
        return threads.Run() ? 0 : 1;
    }

    private static int Collecting()
    {
        CollectingWork.Touch();
        Install(SeccompFilter.PromiseNoNewPrivileges());
        Install(SeccompFilter.Install(TestedFilters.Collecting));
        return CollectingWork.Run() ? 0 : 1;
    }

    private static void Begin(ReadOnlySpan<byte> filter)
    {
        QuietRuntime.Begin(HeapBytes);
        Install(SeccompFilter.PromiseNoNewPrivileges());
        Install(SeccompFilter.Install(filter));
    }

    private static void Install(int result) => LinuxException.Check(result, "seccomp");
}
