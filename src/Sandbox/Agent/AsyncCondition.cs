namespace Sandbox.Agent;

/// <summary>A condition that tasks await. Both members are called under the lock that guards the state the condition is about; the await itself is outside of it.</summary>
internal sealed class AsyncCondition
{
    private TaskCompletionSource? _waiters;

    /// <summary>Completes at the next <see cref="Pulse"/>: look at the state again then.</summary>
    public Task NextPulse() => (_waiters ??= new(TaskCreationOptions.RunContinuationsAsynchronously)).Task;

    public void Pulse()
    {
        _waiters?.TrySetResult();
        _waiters = null;
    }
}
