namespace Sandbox.Boot.Linux;

/// <summary>
/// Offsets in struct boot_params, the "zero page" (asm/bootparam.h; Documentation/arch/x86/boot.rst and zero-page.rst). Each is compared with
/// the system's header in tests/Abi.
/// </summary>
public static class BootParams
{
    public const int SizeBytes = 4096;
    public const int AcpiRsdpAddr = 0x070;
    public const int ExtRamdiskImage = 0x0C0;
    public const int ExtRamdiskSize = 0x0C4;
    public const int ExtCmdLinePtr = 0x0C8;
    public const int E820Entries = 0x1E8;
    public const int Sentinel = 0x1EF;
    public const int E820Table = 0x2D0;
    public const int E820EntryBytes = 20;

    // struct setup_header, by offset in the zero page; a bzImage file has it at the same offset.
    public const int SetupHeaderStart = 0x1F1;
    public const int SetupSects = 0x1F1;
    public const int Syssize = 0x1F4;
    public const int BootFlag = 0x1FE;
    public const int Jump = 0x200;
    public const int HeaderMagic = 0x202;
    public const int Version = 0x206;
    public const int TypeOfLoader = 0x210;
    public const int Loadflags = 0x211;
    public const int RamdiskImage = 0x218;
    public const int RamdiskSize = 0x21C;
    public const int CmdLinePtr = 0x228;
    public const int InitrdAddrMax = 0x22C;
    public const int KernelAlignment = 0x230;
    public const int Xloadflags = 0x236;
    public const int CmdlineSize = 0x238;
    public const int PrefAddress = 0x258;
    public const int InitSize = 0x260;

    /// <summary>LOADED_HIGH: the protected-mode code is at 1 MiB or above.</summary>
    public const byte LoadedHigh = 0x01;

    /// <summary>XLF_KERNEL_64: there is a 64-bit entry 0x200 bytes into the protected-mode code.</summary>
    public const ushort XlfKernel64 = 0x0001;

    /// <summary>"Undefined" loader: no number is assigned to this one.</summary>
    public const byte UndefinedLoader = 0xFF;
}
