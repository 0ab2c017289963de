namespace Sandbox.Lab.Tests.SeLinux;

/// <summary>Tests of this group share one <see cref="EnforcingLab"/>.</summary>
[CollectionDefinition(Name)]
public sealed class EnforcingGroup : ICollectionFixture<EnforcingLab>
{
    public const string Name = "enforcing lab";
}
