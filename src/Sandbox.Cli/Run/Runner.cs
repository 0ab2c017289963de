using System.Diagnostics;
using Sandbox.Cli.Text;

namespace Sandbox.Cli.Run;

/// <summary>Runs one request from the options to the exit code.</summary>
internal sealed class Runner(RunRequest request)
{
    /// <summary>How long the guest may take to write its disks back after the command has ended.</summary>
    private static readonly TimeSpan ShutdownTime = TimeSpan.FromSeconds(10);

    private readonly long _began = Stopwatch.GetTimestamp(); // not a Stopwatch: with its words comes all that formats a TimeSpan

    public int Run() => RunAsync().GetAwaiter().GetResult();

    private async Task<int> RunAsync()
    {
        // First: no microVM is started for a command that could not have its terminal.
        using HostTerminal terminal = new(request.WithTerminal);
        using ForwardedSignals signals = new();
        using DiskSizeSignal diskSizes = new();
        using CancellationTokenSource timeout = request.Timeout is { } duration ? new(duration) : new();
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, signals.EndAtOnce);
        MicroVm? microVm = null;
        try
        {
            microVm = await MicroVm.StartAsync(request.MicroVm, signals.EndAtOnce).ConfigureAwait(false);
            if (request.MicroVm.SeLinux == SeLinuxMode.Off)
            {
                ErrorLine.Print($"SELinux: {microVm.SeLinux.Detail}");
            }

            if (request.Verbose)
            {
                foreach (string limit in microVm.UnenforcedLimits)
                {
                    ErrorLine.Print(limit);
                }
            }

            diskSizes.GiveTo(microVm);
            return await RunCommandAsync(microVm, signals, terminal, stop.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            terminal.TakeBack();
            if (signals.EndAtOnce.IsCancellationRequested)
            {
                return ExitCodes.SignalBase + signals.Last;
            }

            ErrorLine.Print($"the command did not end within {DurationText.Show(request.Timeout!.Value)} and was killed with its microVM; give --timeout more time");
            return ExitCodes.Timeout;
        }
        finally
        {
            if (microVm is not null)
            {
                await microVm.DisposeAsync().ConfigureAwait(false);
            }
        }
    }

    private async Task<int> RunCommandAsync(MicroVm microVm, ForwardedSignals signals, HostTerminal terminal, CancellationToken stop)
    {
        SandboxProcess process = await microVm.ExecAsync(request.Exec, stop).ConfigureAwait(false);
        TimeSpan started = Stopwatch.GetElapsedTime(_began);
        signals.ForwardTo(process);
        terminal.GiveTo(process);
        Pump.Input(process);
        Task output = Pump.Output(process.StandardOutput, Pump.StandardOutput);
        Task error = Pump.Output(process.StandardError, Pump.StandardError);
        CommandExit exit = await process.WaitForExitAsync(stop).ConfigureAwait(false);
        await Task.WhenAll(output, error).WaitAsync(stop).ConfigureAwait(false);
        TimeSpan exited = Stopwatch.GetElapsedTime(_began);
        terminal.TakeBack();
        if (request.HasWritableDisk)
        {
            using CancellationTokenSource patience = CancellationTokenSource.CreateLinkedTokenSource(stop);
            patience.CancelAfter(ShutdownTime);
            await microVm.ShutdownAsync(patience.Token).ConfigureAwait(false);
        }
        else
        {
            await microVm.DisposeAsync().ConfigureAwait(false);
        }

        if (request.PrintTiming)
        {
            ErrorLine.Write(TimingReport.Make(microVm.StartTimings, started, exited, Stopwatch.GetElapsedTime(_began)) + TimingReport.Labels(microVm.SeLinux) + TimingReport.Limits(microVm.UnenforcedLimits));
        }

        return exit.ShellCode;
    }
}
