namespace Sandbox.Fuzz.Targets;

/// <summary>A target in use, and what it holds.</summary>
internal readonly struct TargetLease(IFuzzer target) : IDisposable
{
    public IFuzzer Target { get; } = target;

    public void Dispose() => (Target as IDisposable)?.Dispose();
}
