namespace Sandbox.Lab.Tests.SeLinux;

/// <summary>Tests of this group share one <see cref="EnforcingLab"/>, and never run beside the other lab host: two emulators on two processors only slow each other.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class EnforcingGroup : ICollectionFixture<EnforcingLab>
{
    public const string Name = "enforcing lab";
}
