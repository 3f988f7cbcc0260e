package dev.doorbell.hw.pcie;

/// What a device does with accesses to its BARs, besides MSI-X. Called from many threads.
public interface EndpointRegisters {
  /// A device without registers: reads answer zero, writes are dropped.
  EndpointRegisters NONE =
      new EndpointRegisters() {
        @Override
        public long read(EndpointModel device, int bar, long offset, int bytes) {
          return 0;
        }

        @Override
        public void write(EndpointModel device, int bar, long offset, long value, int bytes) {}

        @Override
        public void reset() {}
      };

  /// {@return what a read answers}
  long read(EndpointModel device, int bar, long offset, int bytes);

  void write(EndpointModel device, int bar, long offset, long value, int bytes);

  /// Brings the registers to their state after reset.
  void reset();
}
