using System.Globalization;
using System.Text;
using Sandbox.Linux;

namespace Sandbox.Runtime;

/// <summary>
/// Which system call a filter killed a process for. Only the kernel's log says it (an audit record of type 1326): a wait status says SIGSYS and no
/// more, a tracer would be a way into the jail, and a filter that asks a supervisor does not kill where that one is gone. So it is an aid
/// where the log may be read (root, or sysctl kernel.dmesg_restrict=0), and never waited for longer than <see cref="PatienceMilliseconds"/>.
/// </summary>
internal static class KilledCall
{
    private const int PatienceMilliseconds = 300; // a thread of the kernel writes the record, after the death
    private const int PauseMilliseconds = 20;
    private const int MaxRecordBytes = 8192; // one read(2) of /dev/kmsg gives one record

    /// <summary>The number of the call; null where the log cannot be read or says nothing.</summary>
    /// <param name="pid">The process, which has ended.</param>
    /// <param name="startedNanoseconds">When it was started (<see cref="MonotonicClock"/>): an older record is about another process of that number.</param>
    public static int? Find(int pid, long startedNanoseconds)
    {
        try
        {
            using FdHandle log = FileOpen.Read("/dev/kmsg");
            LinuxException.Check(FdIo.SetNonBlocking(log.Number, on: true), "fcntl /dev/kmsg");
            return Search(log, pid, startedNanoseconds);
        }
        catch (LinuxException)
        {
            return null; // not for this user
        }
    }

    private static int? Search(FdHandle log, int pid, long startedNanoseconds)
    {
        byte[] record = new byte[MaxRecordBytes];
        long deadline = Environment.TickCount64 + PatienceMilliseconds;
        while (true)
        {
            int count = FdIo.Read(log.Number, record);
            if (count > 0 && Parse(Encoding.UTF8.GetString(record, 0, count), pid, startedNanoseconds) is { } number)
            {
                return number;
            }

            if (count == -(int)Errno.EAGAIN && Environment.TickCount64 < deadline)
            {
                Thread.Sleep(PauseMilliseconds);
            }
            else if (count <= 0 && count != -(int)Errno.EPIPE) // EPIPE: the log has moved on meanwhile
            {
                return null;
            }
        }
    }

    /// <summary>Reads one record, <c>priority,sequence,microseconds,flags;text</c> (Documentation/ABI/testing/dev-kmsg).</summary>
    internal static int? Parse(string record, int pid, long startedNanoseconds)
    {
        // A process chooses its name, but the record quotes it or writes it in hexadecimal: a space before a key is the kernel's own.
        string[] head = record.Split(',', 4);
        bool isOurs = head.Length == 4
            && long.TryParse(head[2], NumberStyles.None, CultureInfo.InvariantCulture, out long microseconds)
            && microseconds >= (startedNanoseconds / 1000) - SlackMicroseconds
            && record.Contains("type=1326 ", StringComparison.Ordinal)
            && record.Contains($" pid={pid} ", StringComparison.Ordinal);
        int at = record.IndexOf(" syscall=", StringComparison.Ordinal);
        if (!isOurs || at < 0)
        {
            return null;
        }

        string rest = record[(at + " syscall=".Length)..];
        int end = rest.IndexOfAny([' ', '\n']);
        return int.TryParse(end < 0 ? rest : rest[..end], NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : null;
    }

    // The log's clock is not the monotonic one, only close to it.
    private const long SlackMicroseconds = 2_000_000;
}
