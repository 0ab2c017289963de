namespace Sandbox.Unit.Tests;

/// <summary>Tests of this group run one after another, when all others have ended.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class AloneGroup
{
    public const string Name = "alone";
}
