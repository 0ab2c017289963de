namespace Sandbox.Boot.Acpi;

/// <summary>The I/O ports by which a guest ends itself, as the FADT tells it (ACPI 6.4, 4.8.3.6 and 4.8.3.7), and what it writes there.</summary>
public static class AcpiPower
{
    /// <summary>Sleep control register, one byte.</summary>
    public const ushort SleepControlPort = 0x600;

    /// <summary>Sleep status register, one byte; reads as zero here (nothing wakes this machine).</summary>
    public const ushort SleepStatusPort = 0x601;

    /// <summary>The i8042 command port, which is the reset register too.</summary>
    public const ushort ResetPort = 0x64;

    /// <summary>"Pulse the reset line" of the i8042.</summary>
    public const byte ResetValue = 0xFE;

    private const byte SleepTypeOff = 5;
    private const byte SleepEnable = 0x20;
    private const int SleepTypeShift = 2;
    private const byte SleepTypeMask = 7;

    /// <summary>Whether a byte written to the sleep control register asks for soft-off (S5).</summary>
    public static bool IsPowerOff(byte value) =>
        (value & SleepEnable) != 0 && ((value >> SleepTypeShift) & SleepTypeMask) == SleepTypeOff;

    /// <summary>The sleep type of \_S5.</summary>
    internal static byte PowerOffType => SleepTypeOff;
}
