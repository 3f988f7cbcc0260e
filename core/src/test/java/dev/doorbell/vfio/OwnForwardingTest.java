package dev.doorbell.vfio;

import org.junit.jupiter.api.DisplayName;

@DisplayName("vectors led to a guest, on Doorbell's own stack")
class OwnForwardingTest extends ForwardingContract {
  @Override
  VfioLab open() {
    return new OwnLab();
  }
}
