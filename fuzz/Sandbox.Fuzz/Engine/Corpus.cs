using System.Globalization;

namespace Sandbox.Fuzz.Engine;

/// <summary>Inputs as files, named for their content: a folder a target.</summary>
internal static class Corpus
{
    /// <summary>In the order of their names, so that a run begins the same everywhere.</summary>
    public static IEnumerable<string> Files(string? folder) =>
        folder is not null && Directory.Exists(folder) ? Directory.EnumerateFiles(folder).Order(StringComparer.Ordinal) : [];

    public static string Save(string folder, ReadOnlySpan<byte> input)
    {
        Directory.CreateDirectory(folder);
        string path = Path.Combine(folder, InputReader.Seed(input).ToString("x16", CultureInfo.InvariantCulture));
        File.WriteAllBytes(path, input.ToArray());
        return path;
    }

    /// <summary>Keeps of a folder what a run needs to reach every outcome that all of it reaches, those that reach most first.</summary>
    public static int Minimise(IFuzzer target, string folder)
    {
        (string Path, byte[] Input, int Outcomes)[] ordered =
        [
            .. Files(folder)
                .Select(path => (path, File.ReadAllBytes(path)))
                .Select(file => (file.path, file.Item2, Outcomes(target, file.Item2)))
                .OrderByDescending(file => file.Item3),
        ];
        Reached.Forget();
        int kept = 0;
        foreach ((string path, byte[] input, int _) in ordered)
        {
            _ = FuzzEngine.RunOne(target, input, null);
            if (Reached.TakeNew())
            {
                kept++;
            }
            else
            {
                File.Delete(path);
            }
        }

        return kept;
    }

    private static int Outcomes(IFuzzer target, byte[] input)
    {
        Reached.Forget();
        _ = FuzzEngine.RunOne(target, input, null);
        return Reached.Count;
    }
}
