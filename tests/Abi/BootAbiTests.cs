using Sandbox.Boot.Linux;
using Sandbox.VhostUser;
using Sandbox.Vmm.VirtioMmio;

namespace Sandbox.Abi.Tests;

/// <summary>Offsets that the loader and the transport write as numbers are where the headers have them.</summary>
public sealed class BootAbiTests
{
    [Fact]
    public void BootParams_Offsets_AreTheHeaders() => Holds(
    [
        Size("struct boot_params", BootParams.SizeBytes),
        Offset("acpi_rsdp_addr", BootParams.AcpiRsdpAddr),
        Offset("ext_ramdisk_image", BootParams.ExtRamdiskImage),
        Offset("ext_ramdisk_size", BootParams.ExtRamdiskSize),
        Offset("ext_cmd_line_ptr", BootParams.ExtCmdLinePtr),
        Offset("e820_entries", BootParams.E820Entries),
        Offset("sentinel", BootParams.Sentinel),
        Offset("e820_table", BootParams.E820Table),
        Size("struct boot_e820_entry", BootParams.E820EntryBytes),
        Offset("hdr", BootParams.SetupHeaderStart),
        Offset("hdr.setup_sects", BootParams.SetupSects),
        Offset("hdr.syssize", BootParams.Syssize),
        Offset("hdr.boot_flag", BootParams.BootFlag),
        Offset("hdr.jump", BootParams.Jump),
        Offset("hdr.header", BootParams.HeaderMagic),
        Offset("hdr.version", BootParams.Version),
        Offset("hdr.type_of_loader", BootParams.TypeOfLoader),
        Offset("hdr.loadflags", BootParams.Loadflags),
        Offset("hdr.ramdisk_image", BootParams.RamdiskImage),
        Offset("hdr.ramdisk_size", BootParams.RamdiskSize),
        Offset("hdr.cmd_line_ptr", BootParams.CmdLinePtr),
        Offset("hdr.initrd_addr_max", BootParams.InitrdAddrMax),
        Offset("hdr.kernel_alignment", BootParams.KernelAlignment),
        Offset("hdr.xloadflags", BootParams.Xloadflags),
        Offset("hdr.cmdline_size", BootParams.CmdlineSize),
        Offset("hdr.pref_address", BootParams.PrefAddress),
        Offset("hdr.init_size", BootParams.InitSize),
        new($"LOADED_HIGH == {BootParams.LoadedHigh} && XLF_KERNEL_64 == {BootParams.XlfKernel64}", "BootParams"),
    ]);

    [Fact]
    public void Elf_Layout_IsTheHeaders() => Holds(
    [
        new("sizeof(Elf64_Ehdr) == 64 && sizeof(Elf64_Phdr) == 56 && ELFCLASS64 == 2 && ELFDATA2LSB == 1 && ET_EXEC == 2 && EM_X86_64 == 62", "ElfHeader"),
        new("offsetof(Elf64_Ehdr, e_type) == 16 && offsetof(Elf64_Ehdr, e_machine) == 18 && offsetof(Elf64_Ehdr, e_entry) == 24", "ElfHeader"),
        new("offsetof(Elf64_Ehdr, e_phoff) == 32 && offsetof(Elf64_Ehdr, e_phentsize) == 54 && offsetof(Elf64_Ehdr, e_phnum) == 56", "ElfHeader"),
        new("offsetof(Elf64_Phdr, p_offset) == 8 && offsetof(Elf64_Phdr, p_paddr) == 24 && offsetof(Elf64_Phdr, p_filesz) == 32", "ProgramHeader"),
        new("offsetof(Elf64_Phdr, p_memsz) == 40 && PT_LOAD == 1 && PT_NOTE == 4 && sizeof(Elf64_Nhdr) == 12", "ProgramHeader"),
    ]);

    [Fact]
    public void VirtioMmio_Registers_AreTheHeaders() => Holds(
    [
        .. Registers(
            (MmioRegister.MagicValue, "MAGIC_VALUE"), (MmioRegister.Version, "VERSION"), (MmioRegister.DeviceId, "DEVICE_ID"), (MmioRegister.VendorId, "VENDOR_ID"),
            (MmioRegister.DeviceFeatures, "DEVICE_FEATURES"), (MmioRegister.DeviceFeaturesSel, "DEVICE_FEATURES_SEL"), (MmioRegister.DriverFeatures, "DRIVER_FEATURES"),
            (MmioRegister.DriverFeaturesSel, "DRIVER_FEATURES_SEL"), (MmioRegister.QueueSel, "QUEUE_SEL"), (MmioRegister.QueueNumMax, "QUEUE_NUM_MAX"),
            (MmioRegister.QueueNum, "QUEUE_NUM"), (MmioRegister.QueueReady, "QUEUE_READY"), (MmioRegister.QueueNotify, "QUEUE_NOTIFY"),
            (MmioRegister.InterruptStatus, "INTERRUPT_STATUS"), (MmioRegister.InterruptAck, "INTERRUPT_ACK"), (MmioRegister.Status, "STATUS"),
            (MmioRegister.QueueDescLow, "QUEUE_DESC_LOW"), (MmioRegister.QueueDescHigh, "QUEUE_DESC_HIGH"), (MmioRegister.QueueDriverLow, "QUEUE_AVAIL_LOW"),
            (MmioRegister.QueueDriverHigh, "QUEUE_AVAIL_HIGH"), (MmioRegister.QueueDeviceLow, "QUEUE_USED_LOW"), (MmioRegister.QueueDeviceHigh, "QUEUE_USED_HIGH"),
            (MmioRegister.ConfigGeneration, "CONFIG_GENERATION"), (MmioRegister.Config, "CONFIG")),
        new($"VIRTIO_CONFIG_S_ACKNOWLEDGE == {DeviceStatus.Acknowledge:D} && VIRTIO_CONFIG_S_DRIVER == {DeviceStatus.Driver:D}", "DeviceStatus"),
        new($"VIRTIO_CONFIG_S_DRIVER_OK == {DeviceStatus.DriverOk:D} && VIRTIO_CONFIG_S_FEATURES_OK == {DeviceStatus.FeaturesOk:D}", "DeviceStatus"),
        new($"VIRTIO_CONFIG_S_NEEDS_RESET == {DeviceStatus.NeedsReset:D} && VIRTIO_CONFIG_S_FAILED == {DeviceStatus.Failed:D}", "DeviceStatus"),
        new("sizeof(struct virtio_blk_config) >= 60 && offsetof(struct virtio_blk_config, write_zeroes_may_unmap) == 56", "DeviceProfile"),
    ]);

    /// <summary>vhost-user carries the structs of the kernel's vhost as they are.</summary>
    [Fact]
    public void VhostUser_Payloads_AreTheKernelsStructs() => Holds(
    [
        new($"sizeof(struct vhost_vring_state) == {RingState.SizeBytes} && offsetof(struct vhost_vring_state, num) == 4", "RingState"),
        new($"sizeof(struct vhost_vring_addr) == {RingAddresses.SizeBytes} && offsetof(struct vhost_vring_addr, flags) == 4", "RingAddresses"),
        new("offsetof(struct vhost_vring_addr, desc_user_addr) == 8 && offsetof(struct vhost_vring_addr, used_user_addr) == 16", "RingAddresses"),
        new("offsetof(struct vhost_vring_addr, avail_user_addr) == 24 && offsetof(struct vhost_vring_addr, log_guest_addr) == 32", "RingAddresses"),
    ]);

    private static AbiClaim Offset(string member, int offset) => new($"offsetof(struct boot_params, {member}) == {offset}", $"BootParams {member}");

    private static AbiClaim Size(string type, int bytes) => new($"sizeof({type}) == {bytes}", type);

    private static IEnumerable<AbiClaim> Registers(params (MmioRegister Ours, string Theirs)[] registers) =>
        registers.Select(register => new AbiClaim($"VIRTIO_MMIO_{register.Theirs} == {register.Ours:D}", $"MmioRegister.{register.Ours}"));

    private static void Holds(IReadOnlyCollection<AbiClaim> claims) => Assert.Equal("", CCompiler.Judge(claims));
}
