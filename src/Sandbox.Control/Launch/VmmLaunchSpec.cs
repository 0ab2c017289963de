namespace Sandbox.Control.Launch;

/// <summary>The machine that a VMM process shall run. Sizes are bytes.</summary>
public sealed class VmmLaunchSpec
{
    /// <summary>Guest memory: the size of the memfd, a multiple of 4096.</summary>
    public required long MemoryBytes { get; init; }

    /// <summary>1 to <see cref="LaunchLimits.MaxCpus"/>.</summary>
    public required int CpuCount { get; init; }

    /// <summary>Kernel command line: printable ASCII, without a final zero.</summary>
    public required string CommandLine { get; init; }

    /// <summary>Length of the kernel file.</summary>
    public required long KernelBytes { get; init; }

    /// <summary>Length of the initial RAM disk; 0 for none.</summary>
    public required long InitrdBytes { get; init; }

    /// <summary>In the order of their inherited sockets, their MMIO places and their interrupts.</summary>
    public required IReadOnlyList<VmmDevice> Devices { get; init; }

    /// <summary>Writes the whole frame into a buffer of <see cref="LaunchLimits.MaxFrameBytes"/>; returns its length.</summary>
    public int Encode(Span<byte> frame)
    {
        LaunchWriter writer = new(frame[LaunchFrame.HeaderBytes..]);
        writer.U64((ulong)MemoryBytes);
        writer.U16((ushort)CpuCount);
        writer.Text(CommandLine);
        writer.U64((ulong)KernelBytes);
        writer.U64((ulong)InitrdBytes);
        writer.U16((ushort)Devices.Count);
        foreach (VmmDevice device in Devices)
        {
            writer.U16((ushort)device.Kind);
            writer.U16((ushort)device.QueueCount);
            writer.U8(device.Replaceable ? (byte)1 : (byte)0);
            writer.Text(device.Tag);
        }

        return LaunchFrame.Finish(frame, LaunchMessageType.VmmSpec, writer.Count);
    }

    /// <summary>Reads the content of a frame of type <see cref="LaunchMessageType.VmmSpec"/>.</summary>
    public static LaunchFault Decode(ReadOnlySpan<byte> content, out VmmLaunchSpec? spec)
    {
        LaunchReader reader = new(content);
        long memory = reader.Size(LaunchLimits.MaxMemoryBytes);
        int cpus = reader.Count(LaunchLimits.MaxCpus);
        string commandLine = reader.Text(LaunchLimits.MaxCommandLineBytes);
        long kernel = reader.Size(LaunchLimits.MaxBootFileBytes);
        long initrd = reader.Size(LaunchLimits.MaxBootFileBytes);
        reader.Require(memory > 0 && memory % LaunchLimits.PageBytes == 0 && cpus > 0 && kernel > 0);

        VmmDevice[] devices = new VmmDevice[reader.Count(LaunchLimits.MaxDevices)];
        for (int index = 0; index < devices.Length; index++)
        {
            DeviceKind kind = (DeviceKind)reader.U16();
            int queues = reader.Count(LaunchLimits.MaxQueues);
            byte replaceable = reader.U8();
            string tag = reader.Text(LaunchLimits.MaxTagBytes);
            devices[index] = new(kind, queues, replaceable == 1, tag);
            reader.Require(Enum.IsDefined(kind) && queues > 0 && replaceable <= 1);
            reader.Require(kind == DeviceKind.FileSystem ? tag.Length > 0 && queues > 1 : tag.Length == 0);
        }

        LaunchFault fault = reader.End();
        spec = fault != LaunchFault.None ? null : new()
        {
            MemoryBytes = memory,
            CpuCount = cpus,
            CommandLine = commandLine,
            KernelBytes = kernel,
            InitrdBytes = initrd,
            Devices = devices,
        };
        return fault;
    }
}
