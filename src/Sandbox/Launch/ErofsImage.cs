using System.Globalization;
using Sandbox.Linux;
using Sandbox.Runtime;

namespace Sandbox.Launch;

/// <summary>
/// Makes a read-only image of a directory with Debian's mkfs.erofs. The image is a file without a name from the start, so that nothing
/// is left of it when this process ends, however it ends.
/// </summary>
internal static class ErofsImage
{
    private const int ImageFd = 3;

    public static async Task<FdHandle> MakeAsync(string directory, CancellationToken cancellationToken)
    {
        string tool = HostTool.Find("mkfs.erofs") ?? throw new SandboxException(
            SandboxErrorKind.HostNotReady, "mkfs.erofs is missing and makes the root file system of a directory; install it with `apt-get install erofs-utils`");
        FdHandle image = UnnamedFile.Create();
        try
        {
            await RunAsync(tool, directory, image, cancellationToken).ConfigureAwait(false);
            return image;
        }
        catch
        {
            image.Dispose();
            throw;
        }
    }

    private static async Task RunAsync(string tool, string directory, FdHandle image, CancellationToken cancellationToken)
    {
        using FdHandle executable = SetPriv.Open();
        using FdHandle nothing = FileOpen.ReadWrite("/dev/null");
        (FdHandle errorReader, FdHandle errorWriter) = Pipe.Create();
        using (errorReader)
        using (errorWriter)
        {
            using ChildProcess child = await Spawner.SpawnAsync(new SpawnSpec
            {
                Executable = executable,
                // -x-1: no extended attributes are read; the guest runs as root of its own system. The path of the image is an fd, not a name.
                Arguments = SetPriv.Arguments(tool, ["--quiet", "-x-1", string.Create(CultureInfo.InvariantCulture, $"/proc/self/fd/{ImageFd}"), Path.GetFullPath(directory)]),
                Fds = [new(0, nothing), new(1, nothing), new(2, errorWriter), new(ImageFd, image)],
            }).ConfigureAwait(false);
            errorWriter.Dispose();
            using CancellationTokenRegistration kill = cancellationToken.Register(() => _ = child.Kill(Signals.Kill));
            TailBuffer errors = new(ToolRun.ErrorTailBytes);
            ExitStatus status = await OnOwnThread(() => ToolRun.WaitForEnd(child, errorReader, errors)).ConfigureAwait(false);
            cancellationToken.ThrowIfCancellationRequested();
            if (status.ShellCode != 0)
            {
                throw new SandboxException(
                    SandboxErrorKind.DiskRejected, $"mkfs.erofs could not make an image of {directory} ({status}): {errors.LastLine()}; check free space in the folder for temporary files");
            }
        }
    }

    /// <summary>The wait blocks: it must not take a thread of the pool from the application.</summary>
    private static Task<T> OnOwnThread<T>(Func<T> work) =>
        Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.LongRunning | TaskCreationOptions.DenyChildAttach, TaskScheduler.Default);
}
