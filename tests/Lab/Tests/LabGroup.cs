namespace Sandbox.Lab.Tests;

/// <summary>Tests of this group share one <see cref="LabHost"/> and run one after another.</summary>
[CollectionDefinition(Name)]
public sealed class LabGroup : ICollectionFixture<LabHost>
{
    public const string Name = "lab";
}
