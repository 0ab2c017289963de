namespace Sandbox.Vmm.VirtioMmio;

/// <summary>Offsets of the virtio-mmio registers (virtio 1.2, 4.2.2, table 4.1). Each is 32 bits wide.</summary>
public enum MmioRegister : uint
{
    MagicValue = 0x000,
    Version = 0x004,
    DeviceId = 0x008,
    VendorId = 0x00C,
    DeviceFeatures = 0x010,
    DeviceFeaturesSel = 0x014,
    DriverFeatures = 0x020,
    DriverFeaturesSel = 0x024,
    QueueSel = 0x030,
    QueueNumMax = 0x034,
    QueueNum = 0x038,
    QueueReady = 0x044,
    QueueNotify = 0x050,
    InterruptStatus = 0x060,
    InterruptAck = 0x064,
    Status = 0x070,
    QueueDescLow = 0x080,
    QueueDescHigh = 0x084,
    QueueDriverLow = 0x090,
    QueueDriverHigh = 0x094,
    QueueDeviceLow = 0x0A0,
    QueueDeviceHigh = 0x0A4,
    ConfigGeneration = 0x0FC,

    /// <summary>Device-specific configuration from here on, in any width.</summary>
    Config = 0x100,
}

/// <summary>What a driver may do with a register.</summary>
[Flags]
public enum RegisterAccess : byte
{
    None = 0,
    Read = 1,
    Write = 2,
}

/// <summary>The packed register table: an offset that is not in it, or an access of another width, direction or alignment, reaches nothing.</summary>
internal static class RegisterTable
{
    public const int RegisterBytes = sizeof(uint);
    private static readonly RegisterAccess[] Access = Build();

    /// <summary>The registers that a driver may read. Status before InterruptStatus: who sees that a change is announced sees the change.</summary>
    public static ReadOnlySpan<MmioRegister> Readable =>
    [
        MmioRegister.MagicValue, MmioRegister.Version, MmioRegister.DeviceId, MmioRegister.VendorId, MmioRegister.DeviceFeatures,
        MmioRegister.QueueNumMax, MmioRegister.QueueReady, MmioRegister.Status, MmioRegister.InterruptStatus, MmioRegister.ConfigGeneration,
    ];

    /// <summary>Whether a driver may make this access to the registers below <see cref="MmioRegister.Config"/>.</summary>
    public static bool Allows(uint offset, int width, RegisterAccess access) =>
        width == RegisterBytes && offset % RegisterBytes == 0 && offset < (uint)MmioRegister.Config
        && (Access[offset / RegisterBytes] & access) != 0;

    private static RegisterAccess[] Build()
    {
        RegisterAccess[] table = new RegisterAccess[(uint)MmioRegister.Config / RegisterBytes];
        Set(table, RegisterAccess.Read, Readable);
        Set(table, RegisterAccess.Write,
        [
            MmioRegister.DeviceFeaturesSel, MmioRegister.DriverFeatures, MmioRegister.DriverFeaturesSel, MmioRegister.QueueSel,
            MmioRegister.QueueNum, MmioRegister.QueueNotify, MmioRegister.InterruptAck, MmioRegister.QueueDescLow, MmioRegister.QueueDescHigh,
            MmioRegister.QueueDriverLow, MmioRegister.QueueDriverHigh, MmioRegister.QueueDeviceLow, MmioRegister.QueueDeviceHigh,
            MmioRegister.QueueReady, MmioRegister.Status,
        ]);
        return table;
    }

    private static void Set(RegisterAccess[] table, RegisterAccess access, ReadOnlySpan<MmioRegister> registers)
    {
        foreach (MmioRegister register in registers)
        {
            table[(uint)register / RegisterBytes] |= access;
        }
    }
}
