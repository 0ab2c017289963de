using Sandbox.Control.Launch;
using Sandbox.Host;
using Sandbox.Linux;

namespace Sandbox.Runtime;

/// <summary>
/// Says in one line why a microVM ended by itself. The most telling witness wins: a process that was killed or crashed, the VMM's own last
/// message, the guest's console.
/// </summary>
internal static class EndDiagnosis
{
    private const string Nothing = "it said nothing";
    private const ulong MaxErrno = 4095;
    private const string SeeConsole = "run with --verbose to see its console";

    /// <param name="watch">A watch whose processes have all ended.</param>
    /// <param name="vmm">Which of them is the VMM.</param>
    /// <param name="kernelPath">For a kernel that cannot be booted.</param>
    public static SandboxException Describe(ProcessWatch watch, WatchedProcess vmm, string kernelPath)
    {
        if (watch.GivenUp is { } givenUp)
        {
            return Host(givenUp);
        }

        foreach (WatchedProcess process in watch.Processes)
        {
            if (process.Fault != LaunchFault.None)
            {
                return Host($"{process.Name} sent a message that is not in order ({process.Fault}); the microVM was ended");
            }

            // SIGKILL is also how the watch ends the others: it tells something only when the process had no reason to be ended.
            if (process.Status is { Signal: > 0 and not Signals.Kill } killed)
            {
                return Host(Crash(process, killed.Signal));
            }
        }

        foreach (WatchedProcess process in watch.Processes)
        {
            if (process.Control is null && process.Status is { Signal: 0, Code: not 0 } failed)
            {
                // A tool of the host's says what failed, and then that it ends.
                return Host($"{process.Name} ended with exit code {failed.Code}: {Said(process, 2)}");
            }
        }

        foreach (WatchedProcess process in watch.Processes)
        {
            if (process != vmm && process.Ended is { Reason: not EndReason.GuestShutdown } ended)
            {
                return Host($"{process.Name} ended ({ended.Reason}): {Words(process, ended with { Text = WithError(ended) })}");
            }
        }

        return vmm.Ended is { } last ? Describe(last, watch, vmm, kernelPath)
            : vmm.Status is { Signal: Signals.Kill } ? Host($"{vmm.Name} was killed (SIGKILL); was the host out of memory? see dmesg")
            : Host($"{vmm.Name} ended with exit code {vmm.Status?.Code} and no reason: {Said(vmm)}");
    }

    /// <summary>A device process that died again and again; this was the last time.</summary>
    public static string GivenUp(WatchedProcess process) =>
        $"{process.Name} died {RestartBudget.MaxRestarts + 1} times within {RestartBudget.WindowMilliseconds / 1000} s, at last by {HowItEnded(process)}; "
        + $"the microVM was ended ({Said(process)})";

    /// <summary>The guest did not come up in time: the last that it wrote is the best clue.</summary>
    public static SandboxException Silent(ProcessWatch watch, TimeSpan timeout)
    {
        string console = watch.Console.Text();
        string clue = ConsoleText.PanicReason(console) is { } reason ? $"its kernel panicked: {reason}"
            : watch.Console.LastLine() is { Length: > 0 } line ? $"its console ends with: {line}"
            : KvmFindings.HardwareVirtualization() is { IsPresent: false } missing ? $"{missing.Detail}, which a Linux guest needs; see `sandbox doctor`"
            : "its console is empty";
        return new(SandboxErrorKind.GuestSilent, $"the guest did not answer within {SecondsText.Of(timeout)}; {clue}; {SeeConsole}");
    }

    private static SandboxException Describe(Ended last, ProcessWatch watch, WatchedProcess vmm, string kernelPath)
    {
        string console = watch.Console.Text();
        switch (last.Reason)
        {
            case EndReason.KernelRejected:
                return new(SandboxErrorKind.KernelRejected, $"kernel {kernelPath} {last.Text}"); // the text is a verb and what follows
            case EndReason.GuestShutdown or EndReason.GuestReset or EndReason.TripleFault:
                return new(SandboxErrorKind.GuestStopped, ConsoleText.PanicReason(console) is { } reason
                    ? $"the guest's kernel panicked: {reason}; {SeeConsole}"
                    : $"the guest stopped by itself ({last.Reason}); {SeeConsole}");
            case EndReason.BackendLost when last.Detail < (ulong)watch.Processes.Count - 1:
                return Host($"the microVM lost its device {watch.Processes[(int)last.Detail + 1].Name}: {Words(vmm, last)}");
            default:
                return Host($"{vmm.Name} ended ({last.Reason}, {last.Detail}): {Words(vmm, last)}");
        }
    }

    private static string Crash(WatchedProcess process, int signal) => signal == Signals.BadSystemCall
        ? Forbidden(process, KilledCall.Find(process.Child.Pid, process.StartedNanoseconds))
        : $"{process.Name} crashed ({Signals.NameOf(signal)}): {Said(process)}";

    private static string Forbidden(WatchedProcess process, int? call)
    {
        string last = process.ErrorTail.LastLine() is { Length: > 0 } line ? $"; it last said: {line}" : "";
        return call is { } number
            ? $"{process.Name} was killed for the system call {SyscallName.Of(number)} ({number}), which its seccomp filter does not grant{last}"
            : $"{process.Name} was killed for a system call that its seccomp filter does not grant (SIGSYS); as root, `dmesg` names the call{last}";
    }

    private static string HowItEnded(WatchedProcess process) => process.Status is { Signal: > 0 } killed
        ? Signals.NameOf(killed.Signal)
        : $"exit code {process.Status?.Code}";

    private static string Words(WatchedProcess process, Ended ended) => ended.Text.Length > 0 ? ended.Text : Said(process);

    // A device process says which operation failed, and its error number beside it.
    internal static string WithError(in Ended ended) =>
        ended is { Reason: EndReason.HostFailure, Text.Length: > 0, Detail: > 0 and <= MaxErrno }
            ? new LinuxException(ended.Text, (Errno)ended.Detail).Message
            : ended.Text;

    private static string Said(WatchedProcess process, int lines = 1) => process.ErrorTail.LastLines(lines) is { Length: > 0 } said ? said : Nothing;

    private static SandboxException Host(string message) => new(SandboxErrorKind.HostFailure, message);
}
