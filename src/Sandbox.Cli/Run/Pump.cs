using System.Buffers;
using Sandbox.Linux;

namespace Sandbox.Cli.Run;

/// <summary>
/// Moves bytes between the standard streams of this process and those of the command. A thread for each: reads and writes of an fd block, and that
/// is the back-pressure; a thread of the pool must not.
/// </summary>
internal static class Pump
{
    public const int StandardInput = 0;
    public const int StandardOutput = 1;
    public const int StandardError = 2;
    private const int BufferBytes = 128 * 1024;

    /// <summary>Copies standard input to the command until it ends, or until nobody reads any more. Never waited for: a terminal may never end.</summary>
    public static void Input(SandboxProcess process) => new Thread(() => CopyInput(process)) { IsBackground = true, Name = "stdin" }.Start();

    /// <summary>Copies a stream of the command to an fd until it ends. A reader that has gone away is the command's EPIPE.</summary>
    public static Task Output(Stream source, int fd)
    {
        TaskCompletionSource done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        new Thread(() => CopyOutput(source, fd, done)) { IsBackground = true, Name = fd == StandardOutput ? "stdout" : "stderr" }.Start();
        return done.Task;
    }

    private static void CopyInput(SandboxProcess process)
    {
        byte[] buffer = new byte[BufferBytes];
        try
        {
            int count;
            while ((count = FdTransfer.Read(StandardInput, buffer)) > 0)
            {
                process.StandardInput.WriteAsync(buffer.AsMemory(0, count)).AsTask().GetAwaiter().GetResult();
            }

            process.StandardInput.Dispose();
        }
        catch (Exception failure) when (failure is IOException or SandboxException or ObjectDisposedException)
        {
            // The command reads no more, or has ended with its microVM; others tell of it.
        }
    }

    private static void CopyOutput(Stream source, int fd, TaskCompletionSource done)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            int count;
            while ((count = source.ReadAsync(buffer).AsTask().GetAwaiter().GetResult()) > 0)
            {
                if (FdTransfer.WriteAll(fd, buffer.AsSpan(0, count)) < 0)
                {
                    source.Dispose();
                    break;
                }
            }
        }
        catch (Exception failure) when (failure is SandboxException or ObjectDisposedException)
        {
            // The microVM has ended; the wait for the command tells why.
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
            done.SetResult();
        }
    }
}
