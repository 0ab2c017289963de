using System.Buffers.Binary;
using static Sandbox.Linux.Abi.Constants;
using static Sandbox.Linux.Abi.SystemCalls;
using static Sandbox.Linux.Abi.YoungConstants;
using static Sandbox.Linux.PreRuntime.RawCall;

namespace Sandbox.Linux.PreRuntime;

/// <summary>Landlock before the runtime exists. Every method returns the negated error number when it fails.</summary>
public static unsafe class RawLandlock
{
    private const int FirstAbiThatLogs = 7; // Linux 6.15
    private const int RuleBytes = 12; // struct landlock_path_beneath_attr, packed: allowed_access, parent_fd
    private const int AttributeCount = 3; // struct landlock_ruleset_attr of ABI 6: handled_access_fs, handled_access_net, scoped

    /// <summary>The ABI, 1 or more. -ENOSYS or -EOPNOTSUPP: there is none.</summary>
    public static nint Version() => Call(SYS_landlock_create_ruleset, 0, 0, LANDLOCK_CREATE_RULESET_VERSION);

    /// <summary>A ruleset that refuses all of <paramref name="rights"/>, as a close-on-exec fd. An older kernel takes the longer struct as long as what it does not know is zero.</summary>
    public static nint CreateRuleset(LandlockRights rights)
    {
        ulong* attributes = stackalloc ulong[AttributeCount];
        attributes[0] = rights.FileSystem;
        attributes[1] = rights.Network;
        attributes[2] = rights.Scopes;
        // SAFETY: a whole struct landlock_ruleset_attr of the size that is passed; the kernel only reads it.
        return Call(SYS_landlock_create_ruleset, (nint)attributes, AttributeCount * sizeof(ulong), 0);
    }

    /// <summary>An exception for one open file, or for all below one open folder.</summary>
    public static nint AllowFile(int ruleset, int file, ulong rights)
    {
        Span<byte> rule = stackalloc byte[RuleBytes];
        BinaryPrimitives.WriteUInt64LittleEndian(rule, rights);
        BinaryPrimitives.WriteInt32LittleEndian(rule[sizeof(ulong)..], file);
        // SAFETY: a whole struct landlock_path_beneath_attr; the kernel only reads it.
        fixed (byte* pointer = rule)
        {
            return Call(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, (nint)pointer, 0);
        }
    }

    /// <summary>
    /// From here on, for this process and all that follow. What the exe is refused goes to the audit log where the kernel can: it has no business
    /// with any file, so each refusal is an attack or a defect.
    /// </summary>
    public static nint RestrictSelf(int ruleset, int abi) =>
        Call(SYS_landlock_restrict_self, ruleset, abi >= FirstAbiThatLogs ? LANDLOCK_RESTRICT_SELF_LOG_NEW_EXEC_ON : 0);
}
