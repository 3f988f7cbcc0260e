package dev.doorbell.pci;

import dev.doorbell.bus.RegisterBus;

/// The MSI-X capability of a function: where its table and pending bits lie, and its two switches.
///
/// **Source**: PCI Express Base 6.0, 7.7.2.
public final class MsixCapability {
  private final String function;
  private final ConfigAccess at;

  private MsixCapability(String function, ConfigAccess at) {
    this.function = function;
    this.at = at;
  }

  /// {@return the capability whose header lies at an offset}
  ///
  /// @param function the function's name, for messages
  public static MsixCapability at(String function, ConfigSpace config, int offset) {
    return new MsixCapability(function, new ConfigAccess(config, offset));
  }

  /// {@return the offset of its header}
  public int offset() {
    return at.base();
  }

  /// {@return whether the whole capability can be seen}
  public boolean isVisible() {
    return at.sees(MsixLayout.PBA);
  }

  /// {@return entries of the table, 1 to 2048}
  public int vectors() {
    return (int) at.get(MsixLayout.CONTROL, MsixLayout.TABLE_SIZE) + 1;
  }

  /// {@return which BAR holds the table; 6 and 7 are reserved and name none}
  public int tableBar() {
    return (int) at.get(MsixLayout.TABLE, MsixLayout.TABLE_BIR);
  }

  /// {@return where the table starts in its BAR, in bytes}
  public long tableOffset() {
    return at.get(MsixLayout.TABLE, MsixLayout.TABLE_OFFSET);
  }

  public long tableBytes() {
    return (long) vectors() * MsixLayout.ENTRY.bytes();
  }

  public int pbaBar() {
    return (int) at.get(MsixLayout.PBA, MsixLayout.PBA_BIR);
  }

  public long pbaOffset() {
    return at.get(MsixLayout.PBA, MsixLayout.PBA_OFFSET);
  }

  /// {@return bytes of the pending bit array, a multiple of 8}
  public long pbaBytes() {
    return Math.ceilDiv(vectors(), Long.SIZE) * (long) Long.BYTES;
  }

  public boolean isEnabled() {
    return at.isSet(MsixLayout.CONTROL, MsixLayout.ENABLE);
  }

  public boolean isFunctionMasked() {
    return at.isSet(MsixLayout.CONTROL, MsixLayout.FUNCTION_MASK);
  }

  /// Holds every vector back, or lets each be as its own mask says.
  public void functionMask(boolean masked) {
    at.set(MsixLayout.CONTROL, MsixLayout.FUNCTION_MASK, masked ? 1 : 0);
  }

  /// Turns MSI-X on, with the function's wired interrupt off.
  public void enable() {
    ConfigAccess.header(at.config())
        .set(ConfigHeaderLayout.COMMAND, ConfigHeaderLayout.INTERRUPT_DISABLE, 1);
    at.set(MsixLayout.CONTROL, MsixLayout.ENABLE, 1);
  }

  public void disable() {
    at.set(MsixLayout.CONTROL, MsixLayout.ENABLE, 0);
  }

  /// The function's switches as they were at one moment.
  final class Switches {
    private final ConfigAccess header = ConfigAccess.header(at.config());
    private final long control = at.read(MsixLayout.CONTROL);
    private final long wiredOff =
        header.get(ConfigHeaderLayout.COMMAND, ConfigHeaderLayout.INTERRUPT_DISABLE);

    boolean isEnabled() {
      return MsixLayout.ENABLE.isSet(control);
    }

    void restore() {
      at.write(MsixLayout.CONTROL, control);
      header.set(ConfigHeaderLayout.COMMAND, ConfigHeaderLayout.INTERRUPT_DISABLE, wiredOff);
    }
  }

  /// {@return the two switches and the wired interrupt's, as they are now}
  Switches switches() {
    return new Switches();
  }

  /// {@return the vectors, to be programmed through the BARs}
  ///
  /// @param tableBar window onto the BAR {@link #tableBar}
  /// @param pbaBar window onto the BAR {@link #pbaBar}; often the same
  public MsixTable table(RegisterBus tableBar, RegisterBus pbaBar) {
    return new MsixTable(function, this, tableBar, pbaBar);
  }
}
