namespace Sandbox.Confinement.Tests.Jail;

/// <summary>What this test run has left of its children.</summary>
internal static class ChildProcesses
{
    /// <summary>Numbers of the spawning thread's children, those included that have ended and were not waited for; "" when there is none.</summary>
    internal static string OfTheSpawner()
    {
        string thread = Directory.GetDirectories("/proc/self/task").Single(task => File.ReadAllText($"{task}/comm") == "spawner\n");
        return File.ReadAllText($"{thread}/children");
    }
}
