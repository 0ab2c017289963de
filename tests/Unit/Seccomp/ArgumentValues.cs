using Sandbox.Seccomp;

namespace Sandbox.Unit.Tests.Seccomp;

/// <summary>What to try as arguments.</summary>
internal static class ArgumentValues
{
    /// <summary>Values around every number that a rule compares with, in both halves: where a 64-bit comparison made of two goes wrong.</summary>
    internal static ulong[] Around(SyscallRule? rule)
    {
        List<ulong> values = [0, 1, 2, 0xFFFF_FFFF, 0x1_0000_0000, ulong.MaxValue];
        foreach (ArgumentTest test in (rule?.Alternatives ?? []).SelectMany(alternative => alternative))
        {
            ulong value = test.Value;
            values.AddRange([value, unchecked(value + 1), unchecked(value - 1), value | 0x1_0000_0000, value | 0x8000_0000_0000_0000, value ^ 1, value ^ 4, value & unchecked(value - 1), ~value]);
        }

        return [.. values.Distinct()];
    }
}
