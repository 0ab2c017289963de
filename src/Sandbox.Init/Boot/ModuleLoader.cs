using System.Text;
using Sandbox.Control.Agent;
using Sandbox.Linux;
using Sandbox.Linux.Guest;

namespace Sandbox.Init.Boot;

/// <summary>Loads what <c>/modules/order</c> names, in that order, and gives each file's memory back. A kernel with everything built in comes without that file.</summary>
internal static class ModuleLoader
{
    private const string Folder = "/modules/";
    private const string OrderFile = Folder + "order";

    public static void LoadAll()
    {
        if (!File.Exists(OrderFile))
        {
            return;
        }

        foreach (string line in File.ReadAllText(OrderFile, Encoding.UTF8).Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            Load(Folder + line);
        }

        _ = GuestFiles.Unlink(OrderFile);
    }

    private static void Load(string path)
    {
        int result;
        try
        {
            using FdHandle file = FileOpen.Read(path);
            result = GuestKernel.LoadModule(file);
        }
        catch (LinuxException exception)
        {
            throw new BootException(BootStage.Modules, exception.Operation, exception.Errno);
        }

        // EEXIST: built in, or loaded as another's dependency. ENODEV: an accelerator of something this processor lacks
        // (crc32c-intel), whose plain form is in the kernel; a device that is really missing shows itself at its use.
        if (result is not -(int)Errno.EEXIST and not -(int)Errno.ENODEV)
        {
            BootException.Check(result, BootStage.Modules, $"load module {path}");
        }

        _ = GuestFiles.Unlink(path);
    }
}
