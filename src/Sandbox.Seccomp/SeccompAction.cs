namespace Sandbox.Seccomp;

/// <summary>What the kernel does with a call: the values of linux/seccomp.h.</summary>
public readonly record struct SeccompAction(uint Value)
{
    public static SeccompAction KillProcess { get; } = new(0x8000_0000);

    public static SeccompAction Allow { get; } = new(0x7FFF_0000);

    /// <summary>The call fails with this error number (SECCOMP_RET_ERRNO), 1 to 4095.</summary>
    public static SeccompAction Errno(int number) =>
        number is > 0 and < 4096 ? new(0x0005_0000u | (uint)number) : throw new ArgumentOutOfRangeException(nameof(number));
}
