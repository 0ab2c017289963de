using Sandbox.Linux;

namespace Sandbox.Runtime;

/// <summary>Processes that are to end so that others take their places: asked for on any thread, carried out on the watching one.</summary>
/// <param name="count">How many processes there are.</param>
internal sealed class RestartRequests(int count)
{
    private readonly bool[] _asked = new bool[count];

    public void Ask(int process) => Volatile.Write(ref _asked[process], true);

    /// <summary>Kills those that run. One that is being started may have been given what was before the request: its turn comes when it is there.</summary>
    public void CarryOut(WatchedProcess[] processes)
    {
        for (int index = 0; index < processes.Length; index++)
        {
            if (Volatile.Read(ref _asked[index]) && processes[index].Status is null)
            {
                Volatile.Write(ref _asked[index], false);
                processes[index].IsRestarting = true;
                _ = processes[index].Child.Kill(Signals.Kill);
            }
        }
    }
}
