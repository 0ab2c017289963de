namespace Sandbox.Kvm;

/// <summary>Why a vCPU came back from the guest.</summary>
public enum VcpuExitKind
{
    /// <summary>A signal, a request for an immediate exit, or a wake-up of a vCPU that waits for SIPI: run it again.</summary>
    Interrupted,

    /// <summary>IN or OUT. <see cref="VcpuExit.Address"/> is the port.</summary>
    Port,

    /// <summary>An access to an address without memory.</summary>
    Mmio,

    /// <summary>HLT, where the kernel does not handle it.</summary>
    Halted,

    /// <summary>A triple fault: the processor shut down.</summary>
    TripleFault,

    /// <summary>KVM could not go on. <see cref="VcpuExit.Address"/> is the suberror, <see cref="VcpuExit.Data"/> its first word.</summary>
    InternalError,

    /// <summary>The hardware refused the vCPU's state. <see cref="VcpuExit.Address"/> is its reason.</summary>
    EntryFailed,

    /// <summary>KVM_RUN failed. <see cref="VcpuExit.Address"/> is the error number.</summary>
    HostError,

    /// <summary>An exit that this project has not asked for, or one whose fields make no sense. <see cref="VcpuExit.Address"/> is its number.</summary>
    Unexpected,
}

/// <summary>One exit, copied once from the shared page and checked.</summary>
public readonly struct VcpuExit
{
    internal VcpuExit(VcpuExitKind kind, ulong address = 0, ulong data = 0)
    {
        Kind = kind;
        Address = address;
        Data = data;
    }

    internal VcpuExit(VcpuExitKind kind, ulong address, uint sizeBytes, uint count, bool isWrite, ulong data)
        : this(kind, address, data)
    {
        SizeBytes = sizeBytes;
        Count = count;
        IsWrite = isWrite;
    }

    public VcpuExitKind Kind { get; }

    /// <summary>The port, the guest-physical address, or what <see cref="Kind"/> says.</summary>
    public ulong Address { get; }

    /// <summary>Bytes of one access: 1, 2 or 4 for a port, 1 to 8 for memory.</summary>
    public uint SizeBytes { get; }

    /// <summary>How many accesses (string instructions repeat); 1 for memory.</summary>
    public uint Count { get; }

    /// <summary>The guest wrote; otherwise it waits for a value.</summary>
    public bool IsWrite { get; }

    /// <summary>A memory write's value, little-endian.</summary>
    public ulong Data { get; }
}
