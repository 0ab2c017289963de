namespace Sandbox.Lab.Tests;

/// <summary>
/// The command line and the machine. Tests of this group share one <see cref="LabHost"/> and run one after another, beside those of the other groups:
/// an emulator takes one processor.
/// </summary>
[CollectionDefinition(Name)]
public sealed class LabGroup : ICollectionFixture<LabHost>
{
    public const string Name = "lab";
}
