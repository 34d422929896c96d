// The image baselines that are packaged with this module.

package modelref

import "sync"

// packagedBaselines returns the baselines in the order in which they were published. They must not be changed.
var packagedBaselines = sync.OnceValue(func() []BaselineInfo {
	const (
		controlNet = 1 << iota
		transparent
		qrCode
		remix
		flow
	)
	entry := func(name Baseline, display string, resolution, features int, policy HordePolicy, other ...string) BaselineInfo {
		info := BaselineInfo{
			Name: name, DisplayName: display, AlternativeNames: other, HordePolicy: policy,
			Capabilities: BaselineCapabilities{
				ControlNet: features&controlNet != 0, Transparent: features&transparent != 0, QRCode: features&qrCode != 0,
				Remix: features&remix != 0, FlowMatching: features&flow != 0,
			},
			Metadata: EntryMetadata{Revision: 1},
		}
		if resolution > 0 {
			info.NativeResolution = Some(resolution)
		}
		if name == BaselineStableDiffusion2768 || name == BaselineStableDiffusion2512 {
			info.Capabilities.ControlNetTypesUnavailable = []string{"normal", "mlsd", "hough"}
		}
		return info
	}
	policy := func(kudos float64, batching, ttl, floor int) HordePolicy {
		return HordePolicy{Kudos: kudos, Batching: batching, TTL: ttl, ResolutionFloor: floor}
	}
	xl, cascade := policy(2, 1, 1, 1024), policy(4, 1, 1, 1024)
	xl.KudosQRCode, cascade.KudosHires = Some(4.0), Some(7.0)
	return []BaselineInfo{
		entry(BaselineInfer, "Inferred", 0, 0, policy(1, 1, 1, 0)),
		entry(BaselineStableDiffusion1, "Stable Diffusion 1", 512, controlNet|transparent|qrCode, policy(1, 1, 1, 0),
			"stable diffusion 1", "stable diffusion 1.4", "stable diffusion 1.5", "SD1", "SD14", "SD1.4", "SD15", "SD1.5",
			"stable_diffusion", "stable_diffusion_1.4", "stable_diffusion_1.5"),
		entry(BaselineStableDiffusion2768, "Stable Diffusion 2 (768)", 768, controlNet, policy(1, 1, 1, 768)),
		entry(BaselineStableDiffusion2512, "Stable Diffusion 2 (512)", 512, controlNet, policy(1, 1, 1, 0)),
		entry(BaselineStableDiffusionXL, "Stable Diffusion XL", 1024, controlNet|transparent|qrCode, xl,
			"stable diffusion xl", "SDXL"),
		entry(BaselineStableCascade, "Stable Cascade", 1024, remix, cascade, "stable cascade"),
		entry(BaselineFlux1, "Flux.1", 1024, controlNet|flow, policy(8, 5, 3, 1024)),
		entry(BaselineFluxSchnell, "Flux.1 Schnell", 1024, controlNet|flow, policy(8, 5, 3, 1024), "flux schnell"),
		entry(BaselineFluxDev, "Flux.1 Dev", 1024, controlNet|flow, policy(8, 5, 3, 1024), "flux dev"),
		entry(BaselineQwenImage, "Qwen-Image", 1024, flow, policy(12, 10, 3, 1024), "qwen image", "qwen-image", "qwen"),
		entry(BaselineZImageTurbo, "Z-Image Turbo", 1024, 0, policy(8, 8, 3, 1024), "z image turbo", "zimage-turbo", "zimage"),
		entry(BaselineKrea2Turbo, "Krea 2 Turbo", 1024, 0, policy(8, 8, 3, 1024), "krea_2_turbo", "krea2"),
		entry(BaselineAnima, "Anima", 1024, 0, policy(8, 8, 3, 1024), "anima_base", "anima_aesthetic", "anima_turbo"),
	}
})

// packaged returns the packaged information about the baseline, or nil if this package does not define the baseline.
func (b Baseline) packaged() *BaselineInfo {
	table := packagedBaselines()
	for i := range table {
		if table[i].Name == b {
			return &table[i]
		}
	}
	return nil
}
