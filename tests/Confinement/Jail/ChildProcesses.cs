namespace Sandbox.Confinement.Tests.Jail;

/// <summary>What this test run has left of its children.</summary>
internal static class ChildProcesses
{
    /// <summary>Numbers of the spawning thread's children, those included that have ended and were not waited for; "" when there is none.</summary>
    internal static string OfTheSpawner()
    {
        string thread = Directory.GetDirectories("/proc/self/task").Single(static task => NameOf(task) == "spawner\n");
        return File.ReadAllText($"{thread}/children");
    }

    // Threads of the pool come and go between the look and the reading.
    private static string NameOf(string task)
    {
        try
        {
            return File.ReadAllText($"{task}/comm");
        }
        catch (IOException)
        {
            return "";
        }
    }
}
