using Sandbox.Linux;

namespace Sandbox.Launch;

/// <summary>Everything that a microVM needs from the host, opened: after this nothing of it is named by a path any more.</summary>
internal sealed class LaunchFiles : IDisposable
{
    private readonly List<IDisposable> _owned = [];

    private LaunchFiles()
    {
    }

    public required MicroVmOptions Options { get; init; }

    public required string KernelPath { get; init; }

    public required string CommandLine { get; init; }

    public FdHandle Kvm { get; private set; } = null!;

    public KernelFile Kernel { get; private set; } = null!;

    public FdHandle Initrd { get; private set; } = null!;

    public long InitrdBytes { get; private set; }

    public FdHandle GuestMemory { get; private set; } = null!;

    public RootFileSystem Root { get; private set; } = null!;

    /// <summary>Without the root disk.</summary>
    public List<DiskImage> Disks { get; } = [];

    /// <summary>Null: the guest has no network.</summary>
    public NetworkLink? Network { get; set; }

    /// <summary>The guest has a balloon.</summary>
    public bool Balloon { get; set; }

    /// <summary>The cheap checks first: a wrong option is reported before an image is made.</summary>
    public static async Task<LaunchFiles> OpenAsync(MicroVmOptions options, InstallLayout layout, CancellationToken cancellationToken)
    {
        string kernelPath = options.Kernel ?? layout.DefaultKernel;
        LaunchFiles files = new() { Options = options, KernelPath = kernelPath, CommandLine = GuestCommandLine.Make(options.KernelArguments), Balloon = options.Balloon };
        try
        {
            files.Kernel = files.Own(KernelFile.Open(kernelPath));
            int number = 0;
            foreach (DiskOptions disk in options.Disks)
            {
                number++;
                files.Disks.Add(files.Own(DiskImage.Open(disk.Path, "disk", disk.ReadOnly, $"disk{number}", disk.Direct)));
            }

            if (options.Network is { } network)
            {
                if (network.Kind == NetworkKind.User)
                {
                    _ = Passt.Find();
                }

                files.Network = files.Own(NetworkLink.Open(network));
            }

            files.Kvm = files.Own(KvmDevice.Open());
            (files.Initrd, files.InitrdBytes) = InitialRamDisk.Make(layout.Init, KernelModules.FolderFor(options, kernelPath), KernelModules.WantedBy(options));
            files._owned.Add(files.Initrd);
            files.GuestMemory = files.Own(MemFd.CreateSealed("guest-memory", options.MemoryBytes));
            files.Root = files.Own(await RootFileSystem.OpenAsync(options.RootFileSystem ?? layout.BuiltInRoot, cancellationToken).ConfigureAwait(false));
            return files;
        }
        catch
        {
            files.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        foreach (IDisposable file in _owned)
        {
            file.Dispose();
        }
    }

    private T Own<T>(T file)
        where T : IDisposable
    {
        _owned.Add(file);
        return file;
    }
}
