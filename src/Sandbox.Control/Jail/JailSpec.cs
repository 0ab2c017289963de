using System.Buffers.Binary;
using System.Text;

namespace Sandbox.Control.Jail;

/// <summary>What the jail stage makes of itself before it executes the exe. Encoded by the launcher, decoded by <see cref="JailSpecView"/>.</summary>
public sealed class JailSpec
{
    /// <summary>No limit is set.</summary>
    public const ulong Unlimited = ulong.MaxValue;

    /// <summary>The user to become; null: stay who we are (only root can change).</summary>
    public uint? UserId { get; init; }

    /// <summary>The group to become; given exactly when <see cref="UserId"/> is.</summary>
    public uint? GroupId { get; init; }

    /// <summary>
    /// An own user namespace, so that no capability of the host is ever within reach. Without one only root can build the
    /// other walls: for hosts that refuse user namespaces.
    /// </summary>
    public bool UserNamespace { get; init; } = true;

    /// <summary>The SELinux label with which the exe runs; null: what the policy gives by itself.</summary>
    public string? Label { get; init; }

    /// <summary>How many control groups there are, from <see cref="JailFds.FirstGroup"/> on: to enter, or to keep.</summary>
    public int GroupCount { get; init; }

    /// <summary>
    /// Not a jail but the keeper of control groups, which the only argument names: it makes them in the folders that it is given and removes
    /// them when fd 0 ends.
    /// </summary>
    public bool KeepsGroups { get; init; }

    /// <summary>As keeper, and root: a folder has no mode by which its owner may remove what is in it, so the capability that overrides modes is kept.</summary>
    public bool OverridesModes { get; init; }

    /// <summary>
    /// Its memory comes in small pages only. Where a host deals out huge ones unasked, each touched corner of the runtime's heap would else cost 2 MiB. Not for a
    /// process that maps guest memory to run a guest: whether that has huge pages is the host's matter.
    /// </summary>
    public bool SmallPages { get; init; }

    /// <summary>The fds that the exe inherits, each below <see cref="JailFds.FirstOfJail"/>. All others are closed.</summary>
    public required IReadOnlyList<int> Fds { get; init; }

    /// <summary>argv of the exe, its name first.</summary>
    public required IReadOnlyList<string> Arguments { get; init; }

    /// <summary>RLIMIT_NOFILE: one more than the highest fd number.</summary>
    public ulong MaxOpenFiles { get; init; } = 256;

    /// <summary>RLIMIT_NPROC: processes and threads of the user in the namespace.</summary>
    public ulong MaxProcesses { get; init; } = Unlimited;

    /// <summary>RLIMIT_MEMLOCK in bytes.</summary>
    public ulong MaxLockedBytes { get; init; }

    /// <summary>RLIMIT_FSIZE in bytes. It holds for writes to a disk image as well, and for the size of a memfd.</summary>
    public ulong MaxFileBytes { get; init; } = Unlimited;

    /// <summary>RLIMIT_AS in bytes; the runtime reserves several times its heap limit, guest memory counts.</summary>
    public ulong MaxAddressSpaceBytes { get; init; } = Unlimited;

    /// <exception cref="ArgumentException">An fd is out of range, there is no argument, an argument or the label holds a NUL, or the whole is too long.</exception>
    public byte[] Encode()
    {
        byte[] arguments = Encoding.UTF8.GetBytes(string.Join('\0', Arguments) + '\0');
        if (Arguments.Count is 0 or > JailSpecView.MaxArguments || arguments.AsSpan().Count((byte)0) != Arguments.Count || UserId.HasValue != GroupId.HasValue)
        {
            throw new ArgumentException("The arguments or the identity of the jail are not valid.");
        }

        byte[] label = Label is null ? [] : Encoding.UTF8.GetBytes(Label + '\0');
        if (label.AsSpan().Count((byte)0) > 1 || label.Length > JailSpecView.MaxLabelBytes)
        {
            throw new ArgumentException("The label of the jail is not valid.");
        }

        byte[] bytes = new byte[JailSpecView.HeaderBytes + label.Length + arguments.Length];
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bytes.Length, JailSpecView.MaxBytes, nameof(Arguments));
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)GroupCount, (uint)JailFds.MaxGroups, nameof(GroupCount));
        Put32(bytes, JailSpecView.MagicOffset, JailSpecView.Magic);
        Put32(bytes, JailSpecView.LengthOffset, (uint)bytes.Length);
        uint flags = (UserNamespace ? JailSpecView.UserNamespaceFlag : 0) | (UserId.HasValue ? JailSpecView.IdentityFlag : 0) | (KeepsGroups ? JailSpecView.KeeperFlag : 0) | (OverridesModes ? JailSpecView.OverrideFlag : 0)
            | (SmallPages ? JailSpecView.SmallPagesFlag : 0);
        Put32(bytes, JailSpecView.FlagsOffset, flags | ((uint)GroupCount << JailSpecView.GroupCountShift));
        Put32(bytes, JailSpecView.UserOffset, UserId ?? 0);
        Put32(bytes, JailSpecView.GroupOffset, GroupId ?? 0);
        Put32(bytes, JailSpecView.LabelLengthOffset, (uint)label.Length);
        foreach (int fd in Fds)
        {
            if (fd is < 0 or >= JailFds.FirstOfJail)
            {
                throw new ArgumentException($"A process cannot inherit fd {fd}.");
            }

            bytes[JailSpecView.FdsOffset + (fd / 8)] |= (byte)(1 << (fd % 8));
        }

        ReadOnlySpan<ulong> limits = [MaxOpenFiles, MaxProcesses, MaxLockedBytes, MaxFileBytes, MaxAddressSpaceBytes];
        for (int index = 0; index < limits.Length; index++)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(JailSpecView.LimitsOffset + (index * sizeof(ulong))), limits[index]);
        }

        label.CopyTo(bytes.AsSpan(JailSpecView.HeaderBytes));
        arguments.CopyTo(bytes.AsSpan(JailSpecView.HeaderBytes + label.Length));
        return bytes;
    }

    private static void Put32(byte[] bytes, int offset, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(offset), value);
}
