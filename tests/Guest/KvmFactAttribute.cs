namespace Sandbox.Guest.Tests;

/// <summary>A test that needs /dev/kvm. Where there is none it is skipped, is counted as skipped, and says so.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class KvmFactAttribute : FactAttribute
{
    public KvmFactAttribute()
    {
        if (!File.Exists("/dev/kvm"))
        {
            Skip = "NOT TESTED: this machine has no /dev/kvm (load kvm-intel or kvm-amd, or let the host hand the device in)";
        }
    }
}

/// <inheritdoc cref="KvmFactAttribute"/>
[AttributeUsage(AttributeTargets.Method)]
public sealed class KvmTheoryAttribute : TheoryAttribute
{
    public KvmTheoryAttribute() => Skip = new KvmFactAttribute().Skip;
}
