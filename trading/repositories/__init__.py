"""The only writers of the trading record. Each public function is one whole transaction unless it says otherwise."""
