using Sandbox.Control.Launch;
using Sandbox.Launch;
using Sandbox.Linux;
using Sandbox.Linux.SeLinux;

namespace Sandbox.Labels;

/// <summary>
/// The SELinux side of one microVM: its pair of categories, and the labels of all that its processes get. Without SELinux the same
/// calls, with plain sockets and pipes. Disposing it, when the processes are gone, puts images' labels back and frees the pair.
/// </summary>
internal sealed class SandboxSecurity : IDisposable
{
    private readonly SeLinuxState _host;
    private readonly PairLease? _lease;
    private readonly ImageLabels? _images;

    private SandboxSecurity(SeLinuxState host, PairLease? lease, RelabelJournal journal, SeLinuxStatus status)
    {
        (_host, _lease, Status) = (host, lease, status);
        _images = lease is null ? null : new ImageLabels(journal, lease.Pair);
    }

    /// <summary>No labels, whatever the host has.</summary>
    public static SandboxSecurity None { get; } = new(new SeLinuxState(), null, RelabelJournal.ForThisUser(), new SeLinuxStatus(null, false, "no labels"));

    public SeLinuxStatus Status { get; }

    /// <summary>Before anything of the microVM is made.</summary>
    /// <exception cref="SandboxException">Labels are required and cannot hold, or there is no free pair, or the given one is not.</exception>
    public static SandboxSecurity Begin(MicroVmOptions options)
    {
        SeLinuxState host = SeLinuxState.Read();
        RelabelJournal journal = RelabelJournal.ForThisUser();
        if (SeLinuxChoice.WhyWithout(options.SeLinux, host) is { } reason)
        {
            return new SandboxSecurity(host, null, journal, new SeLinuxStatus(null, false, reason));
        }

        _ = new LabelRestorer(journal).RestoreAbandoned(); // what a killed launcher left; a failure of it is not this microVM's
        PairLease lease = options.SeLinuxLevel is { } level ? TakeGiven(level, journal) : PairLease.Take(CategoryPair.Categories, journal.Has);
        string detail = host.IsEnforcing ? host.IsPermissiveForUs ? "the policy exempts Sandbox (permissive)" : "enforcing" : "permissive";
        return new SandboxSecurity(host, lease, journal, new SeLinuxStatus($"{SecurityContext.PlainLevel}:{lease.Pair.ToString()}", detail == "enforcing", detail));
    }

    /// <summary>The label of a process of the microVM; null: none is given.</summary>
    /// <param name="kind">Which device it is; null: the VMM.</param>
    public string? ProcessLabel(DeviceKind? kind) =>
        _lease is null ? null : Label(_host.Own.Role, kind is { } device ? SandboxTypes.Of(device) : SandboxTypes.Vmm);

    /// <summary>The label of the keeper of its control groups, which are nobody's in particular; null: none is given.</summary>
    public string? KeeperLabel =>
        _lease is null ? null : new SecurityContext(_host.Own.User, _host.Own.Role, SandboxTypes.Keeper, SecurityContext.PlainLevel).ToString();

    /// <summary>A socket pair that only this microVM's processes and the launcher can use.</summary>
    public (FdHandle First, FdHandle Second) CreateChannel() =>
        Label(SandboxTypes.ObjectRole, SandboxTypes.Channel) is { } label ? LabelledSocket.CreatePair(label) : UnixSocket.CreatePair();

    /// <summary>A connection to a program of the operator's that one process of this microVM can use.</summary>
    /// <exception cref="SandboxException">There is no such socket, or nobody listens.</exception>
    public FdHandle ConnectChannel(string what, string path) => BackendSocket.Connect(what, path, Label(SandboxTypes.ObjectRole, SandboxTypes.Channel));

    /// <summary>One more of them, while the microVM runs. Null: there is none to be had now; the program is not waited for.</summary>
    public FdHandle? TryConnectChannel(string path, out bool busy) =>
        Label(SandboxTypes.ObjectRole, SandboxTypes.Channel) is { } label ? LabelledSocket.TryConnect(path, label, out busy) : UnixSocket.TryConnect(path, out busy);

    /// <summary>Likewise a pipe.</summary>
    public (FdHandle Reader, FdHandle Writer) CreatePipe()
    {
        (FdHandle reader, FdHandle writer) = Pipe.Create();
        Set(writer, SandboxTypes.Pipe);
        return (reader, writer);
    }

    /// <summary>Memory that a process of this microVM reads and writes: guest memory, the record of requests in flight.</summary>
    public void LabelMemory(FdHandle memory) => Set(memory, SandboxTypes.Memory);

    /// <summary>Labels every file that the processes will inherit.</summary>
    /// <exception cref="SandboxException">An image cannot be used as it is labelled, or the policy does not let the launcher label it.</exception>
    public void LabelFiles(LaunchFiles files)
    {
        if (_images is null)
        {
            return;
        }

        try
        {
            LabelMemory(files.GuestMemory);
            Set(files.Initrd, SandboxTypes.Boot);
            // A kernel of the operator's own has whatever label its folder gives: the VMM gets a copy instead of a right to that.
            if (FileLabel.Get(files.Kernel.File) is not { } label || !SecurityContext.TryParse(label, out SecurityContext context) || context.Type != SandboxTypes.Share)
            {
                files.Kernel.CopyToMemory();
                Set(files.Kernel.File, SandboxTypes.Boot);
            }

            if (files.Network is { Passt: not null } network)
            {
                network.UseSocket(LabelledSocket.CreatePair(Label(SandboxTypes.ObjectRole, SandboxTypes.Frames)!));
            }
        }
        catch (LinuxException failure)
        {
            throw new SandboxException(SandboxErrorKind.HostFailure, $"SELinux labels: {failure.Message}; see the denial with `dmesg | grep avc`", failure);
        }

        _images.Apply([files.Root.Disk, .. files.Disks], Label(SandboxTypes.ObjectRole, SandboxTypes.Image)!);
    }

    public void Dispose()
    {
        _images?.Dispose();
        _lease?.Dispose();
    }

    private static PairLease TakeGiven(string level, RelabelJournal journal)
    {
        if (!new SecurityContext("u", "r", "t", level).TryGetPair(out CategoryPair pair))
        {
            throw new SandboxException(SandboxErrorKind.InvalidOption, $"SELinux level \"{level}\" is not valid; give s0 and two categories, the lower first, for example s0:c12,c800");
        }

        return !LabelsInUse.Pairs().Contains(pair) && !journal.Has(pair) && PairLease.TryTake(pair) is { } lease
            ? lease
            : throw new SandboxException(SandboxErrorKind.InvalidOption, $"SELinux level {level} is in use; give one that no process has");
    }

    private void Set(FdHandle file, string type)
    {
        if (Label(SandboxTypes.ObjectRole, type) is { } label)
        {
            FileLabel.Set(file, label);
        }
    }

    private string? Label(string role, string type) =>
        _lease is null ? null : new SecurityContext(_host.Own.User, role, type, Status.Level!).ToString();
}
