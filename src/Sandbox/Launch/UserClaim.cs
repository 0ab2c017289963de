using System.Buffers.Binary;
using System.Globalization;
using Sandbox.Linux;

namespace Sandbox.Launch;

/// <summary>
/// A user number that no other process of a microVM has while this is held, whoever started it in this network namespace: two processes of one
/// user could signal and trace each other. An abstract name for each number, which the kernel gives to one holder only and takes back
/// however that one ends.
/// </summary>
internal sealed class UserClaim : IDisposable
{
    // Users that no account and no range of subordinate users has.
    internal const uint FirstUser = 0x7000_0000;
    internal const uint UserCount = 0x0FFF_0000;

    /// <summary>With ten thousand processes, one try in 26,000 meets a number in use: so many in a row are no chance.</summary>
    private const int Tries = 16;

    private readonly FdHandle _name;

    private UserClaim(uint number, FdHandle name) => (Number, _name) = (number, name);

    /// <summary>The user, and the group of the same number.</summary>
    public uint Number { get; }

    /// <summary>One at random.</summary>
    /// <exception cref="LinuxException">None could be had.</exception>
    public static UserClaim Take() => Take(FirstUser, UserCount);

    /// <summary>One at random out of these.</summary>
    /// <exception cref="LinuxException">None could be had.</exception>
    public static UserClaim Take(uint first, uint count)
    {
        for (int tried = 0; tried < Tries; tried++)
        {
            if (TryTake(first + (BinaryPrimitives.ReadUInt32LittleEndian(HostRandom.Bytes(sizeof(uint))) % count)) is { } claim)
            {
                return claim;
            }
        }

        throw new LinuxException("claim a user number for a process", Errno.EADDRINUSE);
    }

    /// <summary>This very number; null when somebody holds it.</summary>
    public static UserClaim? TryTake(uint number) =>
        AbstractName.TryHold(string.Create(CultureInfo.InvariantCulture, $"sandbox/user/{number}")) is { } name ? new UserClaim(number, name) : null;

    public void Dispose() => _name.Dispose();
}
