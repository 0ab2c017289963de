namespace Sandbox.Lab.Tests;

/// <summary>Devices and what serves them. Tests of this group share one <see cref="LabHost"/>, another than <see cref="LabGroup"/>'s.</summary>
[CollectionDefinition(Name)]
public sealed class DeviceGroup : ICollectionFixture<LabHost>
{
    public const string Name = "devices";
}
