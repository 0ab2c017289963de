using System.Diagnostics;

namespace Sandbox.Guest.Tests;

/// <summary>What `make` leaves under artifacts/, and the micro guests, which are assembled on first use.</summary>
internal static class Artifacts
{
    private static readonly string Root = FindRoot();
    private static readonly Lazy<string> Micro = new(BuildMicroGuests);

    /// <summary>A published exe.</summary>
    public static string Exe(string name)
    {
        string path = Path.Combine(Root, "artifacts", "bin", name);
        return File.Exists(path) ? path : throw new FileNotFoundException($"{path} is missing: run `make build` first");
    }

    /// <summary>A micro guest by the name of its source in kernels/micro.</summary>
    public static string MicroGuest(string name) => Path.Combine(Micro.Value, name + ".elf");

    private static string BuildMicroGuests()
    {
        using Process recipe = Process.Start(new ProcessStartInfo("bash", [Path.Combine(Root, "kernels", "micro.sh")])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        string complaint = recipe.StandardError.ReadToEnd();
        recipe.WaitForExit();
        return recipe.ExitCode == 0 ? Path.Combine(Root, "artifacts", "micro") : throw new InvalidOperationException("kernels/micro.sh: " + complaint);
    }

    private static string FindRoot()
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Sandbox.sln")))
        {
            folder = folder.Parent;
        }

        return folder?.FullName ?? throw new InvalidOperationException("the tests do not run inside the source tree");
    }
}
