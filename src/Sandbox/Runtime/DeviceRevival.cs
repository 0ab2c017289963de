using System.Collections.Concurrent;
using Sandbox.Control.Launch;
using Sandbox.Launch;
using Sandbox.Linux;

namespace Sandbox.Runtime;

/// <summary>A device process that was started in the place of one that died, or why it could not be.</summary>
/// <param name="place">The device's place in the VMM's specification.</param>
/// <param name="process">Null when it could not be started.</param>
/// <param name="frontend">The VMM's end of its vhost-user socket.</param>
/// <param name="failure">Why not.</param>
internal sealed class RevivedDevice(int place, WatchedProcess? process, FdHandle? frontend, string failure)
{
    public int Place { get; } = place;

    public WatchedProcess? Process { get; } = process;

    public FdHandle? Frontend { get; } = frontend;

    public string Failure { get; } = failure;
}

/// <summary>Starts device processes anew, away from the watching thread, which asks for it and takes the results. Between the two nobody else touches them.</summary>
/// <param name="launcher">Taken over.</param>
/// <param name="ranOutOfMemory">Whether the kernel has killed a process of the microVM for want of memory: then another would be the next.</param>
internal sealed class DeviceRevival(DeviceLauncher launcher, Func<bool> ranOutOfMemory) : IDisposable
{
    private readonly ConcurrentQueue<RevivedDevice> _results = new();
    private readonly Dictionary<int, RestartBudget> _budgets = [];
    private readonly List<Task> _starts = [];

    /// <summary>Starts that are under way or whose result nobody has taken yet.</summary>
    public int Pending { get; private set; }

    /// <summary>Whether a device's process that died now may be replaced.</summary>
    public bool IsReplaceable(int place) => launcher.IsReplaceable(place) && !ranOutOfMemory();

    /// <inheritdoc cref="DeviceLauncher.TryTakeSize"/>
    public bool TryTakeSize(int place, string name) => launcher.TryTakeSize(place, name);

    /// <summary>Begins to start another process for a device. False when that was tried too often.</summary>
    /// <param name="place">The device.</param>
    /// <param name="wake">An eventfd to be signalled when there is a result; borrowed until then.</param>
    /// <param name="asked">The owner has asked for it: it counts as no try.</param>
    public bool TryBegin(int place, FdHandle wake, bool asked)
    {
        int wait = 0;
        if (!_budgets.TryGetValue(place, out RestartBudget? budget))
        {
            _budgets[place] = budget = new RestartBudget();
        }

        if (!asked && !budget.TryTake(Environment.TickCount64, out wait))
        {
            return false;
        }

        Pending++;
        _ = _starts.RemoveAll(static start => start.IsCompleted);
        _starts.Add(Task.Run(async () =>
        {
            await Task.Delay(wait).ConfigureAwait(false);
            _results.Enqueue(await StartAsync(place).ConfigureAwait(false));
            _ = EventFd.Signal(wake.Number);
        }));
        return true;
    }

    /// <summary>The next result, which belongs to the caller.</summary>
    public bool TryTake(out RevivedDevice? device)
    {
        if (!_results.TryDequeue(out device))
        {
            return false;
        }

        Pending--;
        return true;
    }

    /// <summary>Hands a replacement's socket to the VMM (SCM_RIGHTS). Whether the VMM is still there to take it shows elsewhere.</summary>
    public static void HandOver(int place, FdHandle frontend, WatchedProcess vmm)
    {
        if (Poll.Wait(vmm.Control!.Number, PollEvents.Writable, 0, out _) <= 0)
        {
            return; // a VMM that takes nothing from its socket: the device is missing to its guest, not to us
        }

        Span<byte> frame = stackalloc byte[DeviceReplacement.FrameBytes];
        _ = UnixSocket.Send(vmm.Control.Number, frame[..new DeviceReplacement(place).Encode(frame)], [frontend.Number]);
    }

    /// <summary>After the last result: waits until nobody signals the eventfd any more.</summary>
    public void Dispose()
    {
        Task.WaitAll(_starts);
        launcher.Dispose();
    }

    private async Task<RevivedDevice> StartAsync(int place)
    {
        FdHandle? frontend = null;
        try
        {
            (frontend, FdHandle backend) = launcher.CreateChannel(); // no fd left in this process: a failure like any other
            using (backend)
            {
                return new RevivedDevice(place, await launcher.StartAsync(place, backend).ConfigureAwait(false), frontend, "");
            }
        }
        catch (Exception failure) when (failure is SandboxException or LinuxException)
        {
            frontend?.Dispose();
            return new RevivedDevice(place, null, null, failure.Message);
        }
    }
}
